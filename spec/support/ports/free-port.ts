import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { Observable, defer } from 'rxjs';

/** Below what Linux, macOS and Windows hand out to connections that go out: none of these takes a port in between. */
const [lowest, highest] = [10_000, 32_000];
/** Taken ports in a row before it gives up. */
const most = 1_000;

/**
 * Emits `n` distinct loopback ports that were free a moment ago. All are held open until the last is known.
 * Somebody else may still take one before it is used: who binds them must be ready to ask again.
 *
 * @param run this many that follow one another; emits the first of them. Default 1
 */
export function freePorts(n: number, run = 1): Observable<number[]> {
  return defer(async () => {
    const found: { port: number; servers: Server[] }[] = [];
    while (found.length < n) found.push(await findRun(run));
    await Promise.all(found.flatMap(({ servers }) => servers.map(close)));
    return found.map(({ port }) => port);
  });
}

async function findRun(length: number): Promise<{ port: number; servers: Server[] }> {
  for (let tries = 0; tries < most; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const servers = await Promise.all(Array.from({ length }, (_, i) => listen(port + i)));
    const open = servers.filter((server) => server !== undefined);
    if (open.length === length) return { port, servers: open };
    await Promise.all(open.map(close));
  }
  throw new Error(`no ${length} free ports in a row between ${lowest} and ${highest}`);
}

/** Undefined if the port is taken. */
const listen = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

const close = (server: Server): Promise<unknown> => new Promise((closed) => server.close(closed));
