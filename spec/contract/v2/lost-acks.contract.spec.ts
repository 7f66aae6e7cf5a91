import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import axios, { AxiosError, getAdapter } from 'axios';
import { isOutcomeUnknown, type ClientOptions } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* The answer of an executed write is lost, and the kernel then says what the network last said. */
const server = serverUnderTest();

const childrenOf = async (key: string): Promise<number> => {
  const { node } = await firstValueFrom(server.client().get$(key));
  return node.nodes?.length ?? 0;
};

const codes = ['ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED', 'ETIMEDOUT'];
const kernelError = (code: string): Error =>
  Object.assign(new Error(`read ${code}`), { code, errno: -101, syscall: 'read' });

test.each(codes)('%s on a connection that stood: the write is not sent again', async (code) => {
  const sockets = new Set<Socket>();
  const connected = (message: unknown): void => {
    sockets.add((message as { socket: Socket }).socket);
  };
  subscribe('undici:client:connected', connected);
  server.afterwards(() => unsubscribe('undici:client:connected', connected));
  const proxy = await server.proxy();
  const client = server.client({ endpoints: proxy.url, discover: false });
  const key = server.key();
  await firstValueFrom(client.setDir$(key));
  proxy.pause('toClient');
  const write = rejectionOf(client.createInOrder$(key, 'v'));
  await eventually(async () => (await childrenOf(key)) === 1);
  for (const socket of sockets) socket.destroy(kernelError(code));
  proxy.resume();
  expect(isOutcomeUnknown(await write)).toBe(true);
  expect(await childrenOf(key)).toBe(1);
});

/** An adapter whose answers to POSTs are lost so. */
function losing(code: string): ClientOptions {
  const adapter = getAdapter('http');
  return {
    axios: axios.create({
      adapter: async (config) => {
        const answer = await adapter(config);
        if (config.method === 'post') throw AxiosError.from(kernelError(code), code, config);
        return answer;
      },
    }),
  };
}

test.each(codes)('%s told by an adapter after the fact', async (code) => {
  const client = server.client(losing(code));
  const key = server.key();
  expect(isOutcomeUnknown(await rejectionOf(client.createInOrder$(key, 'v')))).toBe(true);
  expect(await childrenOf(key)).toBe(1);
});

test('an interceptor that asks again, and is refused then', async () => {
  const instance = axios.create();
  instance.interceptors.response.use((answer) => {
    if (answer.config.method !== 'post') return answer;
    // As a retry elsewhere would end.
    return axios.post('http://127.0.0.1:1/');
  });
  const client = server.client({ axios: instance });
  const key = server.key();
  expect(isOutcomeUnknown(await rejectionOf(client.createInOrder$(key, 'v')))).toBe(true);
  expect(await childrenOf(key)).toBe(1);
});

test('etcd stands still when the deadline comes: what was sent may be executed, and is', async () => {
  const client = server.client({ discover: false, heartbeat: false, timeout: 60_000, deadline: 2_000 });
  const key = server.key();
  await firstValueFrom(client.set$(key, 'before'));
  await firstValueFrom(server.member.stop$());
  server.afterwards(() => firstValueFrom(server.member.resume$()));
  const [write, read] = await Promise.all([
    rejectionOf(client.set$(key, 'after')),
    rejectionOf(client.get$(key)),
  ]);
  expect(isOutcomeUnknown(write)).toBe(true);
  expect(isOutcomeUnknown(read)).toBe(false);
  await firstValueFrom(server.member.resume$());
  await eventually(async () => (await firstValueFrom(server.client().getValue$(key))) === 'after');
});
