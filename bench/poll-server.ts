/**
 * A process of its own that answers each long poll at once with the event it asks for, and shows no headers of etcd: a
 * real one would have to be written to a million times. Sends its port to the parent; ends with it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface PollServer {
  readonly origin: string;
  stop(): Promise<void>;
}

export async function startPollServer(): Promise<PollServer> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    stop: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

function serve(): void {
  const member = { id: '1', name: 'one', peerURLs: [], clientURLs: [] };
  const answers: Readonly<Record<string, unknown>> = {
    '/version': { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
    '/v2/members': { members: [member] },
    '/v2/members/leader': member,
    '/v2/stats/self': { id: '1', name: 'one' },
  };
  let store = 1;
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    // How a client asks for the index where it sees no headers.
    if (pathname.endsWith('/_rxetcd')) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ errorCode: 100, message: 'Key not found', cause: pathname, index: store }),
      );
      return;
    }
    const index = Number(searchParams.get('waitIndex') ?? store);
    store = Math.max(store, index);
    const event = {
      action: 'set',
      node: { key: '/bench/k', value: 'v', modifiedIndex: index, createdIndex: index },
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers[pathname] ?? event));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve();
