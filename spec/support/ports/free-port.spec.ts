import { createServer } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { freePorts } from './free-port.js';

test.each([1, 3])('distinct ports that can be listened on, %d in a row', async (run) => {
  const ports = (await firstValueFrom(freePorts(20, run))).flatMap((first) =>
    Array.from({ length: run }, (_, i) => first + i),
  );
  expect(new Set(ports).size).toBe(20 * run);
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
