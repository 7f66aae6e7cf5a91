import { createServer } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { freePorts } from './free-port.js';

test('freePorts gives distinct ports that can be listened on', async () => {
  const ports = await firstValueFrom(freePorts(20));
  expect(new Set(ports).size).toBe(20);
  const servers = await Promise.all(
    ports.map(
      (port) =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().on('error', reject);
          server.listen(port, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
});
