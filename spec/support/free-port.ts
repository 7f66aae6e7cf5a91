import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { Observable, defer } from 'rxjs';

/**
 * Emits `n` distinct loopback ports, picked by the kernel and free a moment ago. All are held open until the last is known.
 * Somebody else may still take one before it is used: who binds them must be ready to ask again.
 */
export function freePorts(n: number): Observable<number[]> {
  return defer(async () => {
    const servers = await Promise.all(Array.from({ length: n }, listen));
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
    return ports;
  });
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
