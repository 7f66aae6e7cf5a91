import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { InvalidOptionError } from 'rxetcd';
import { EmbeddedCluster, EmbeddedEtcd, ListenError } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { ScriptRunner } from '../support/programs/run-script.js';
import { exchange, openExchange } from './support/raw-exchange.js';
import { afterEachTest } from '../support/jest/clean-up.js';

const afterwards = afterEachTest();

const start = async (options?: Parameters<typeof EmbeddedEtcd.start$>[0]): Promise<EmbeddedEtcd> => {
  const etcd = await firstValueFrom(EmbeddedEtcd.start$(options));
  afterwards(() => firstValueFrom(etcd.stop$()));
  return etcd;
};

const runner = new ScriptRunner();
afterAll(() => runner.remove());
/** What a program prints that imports the library and must end by itself. */
const run = async (body: string): Promise<string> => {
  const script = `
    import { EmbeddedCluster, EmbeddedEtcd } from './testing/index.js';
    import { firstValueFrom } from 'rxjs';
    ${body}`;
  const { exitCode, stdout, stderr } = await runner.run(script, { limit: 30_000 });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
};

test('starts within 50 ms', async () => {
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const startedAt = performance.now();
    const etcd = await start();
    times.push(performance.now() - startedAt);
    await firstValueFrom(etcd.stop$());
  }
  // Of a busy machine the best of twenty tells.
  expect(Math.min(...times)).toBeLessThan(50);
});

test('stop$ ends open requests, and the port is free again', async () => {
  const etcd = await start();
  await exchange(etcd.url, { method: 'PUT', target: '/v2/keys/k?value=v&ttl=100' });
  const watches = await Promise.all(
    ['', '&stream=true'].map((stream) =>
      openExchange(etcd.url, { method: 'GET', target: `/v2/keys/k?wait=true${stream}` }),
    ),
  );
  await firstValueFrom(etcd.stop$());
  await eventually(() => expect(watches.map(({ ended }) => ended)).toEqual([true, true]));
  await expect(exchange(etcd.url, { method: 'GET', target: '/version' })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
  const next = await start({ port: Number(new URL(etcd.url).port) });
  expect(next.url).toBe(etcd.url);
  await firstValueFrom(next.stop$());
  // Twice does no harm.
  await firstValueFrom(next.stop$());
});

test.each([
  [
    'keys that expire, watches and what they were written by',
    `const etcd = await firstValueFrom(EmbeddedEtcd.start$());
     const put = await fetch(etcd.url + '/v2/keys/k?value=v&ttl=100', { method: 'PUT' });
     await fetch(etcd.url + '/v2/keys/k?wait=true&stream=true');
     await firstValueFrom(etcd.stop$());
     console.log(put.status);`,
    '201',
  ],
  [
    'a write that waits for a majority, an election and a delayed answer',
    `const cluster = await firstValueFrom(EmbeddedCluster.start$(3));
     const [one, two, three] = cluster.members;
     await firstValueFrom(one.kill$());
     two.partition();
     const lost = fetch(three.url + '/v2/keys/k?value=v', { method: 'PUT' }).catch(() => 'reset');
     three.faults.delay(60_000);
     const late = fetch(three.url + '/version').catch(() => 'reset');
     while (three.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
     await firstValueFrom(cluster.stop$());
     console.log(await lost, await late);`,
    'reset reset',
  ],
  [
    'faults: refused, frozen',
    `const cluster = await firstValueFrom(EmbeddedCluster.start$(3));
     await firstValueFrom(cluster.members[0].refuse$());
     cluster.members[1].freeze();
     await firstValueFrom(cluster.stop$());
     console.log('stopped');`,
    'stopped',
  ],
  [
    'nobody who waited for its start',
    `for (const host of ['127.0.0.1', 'localhost']) {
       EmbeddedEtcd.start$({ host }).subscribe(() => console.log('started')).unsubscribe();
       const starting = EmbeddedCluster.start$(3, { host }).subscribe(() => console.log('started'));
       queueMicrotask(() => starting.unsubscribe());
     }
     console.log('unsubscribed');`,
    'unsubscribed',
  ],
])('keeps no process alive once it was stopped: %s', async (_, body, printed) => {
  expect(await run(body)).toBe(`${printed}\n`);
});

test('a port that is taken is an error that says so, and nothing stays behind', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const error = await rejectionOf(EmbeddedEtcd.start$({ port }));
  expect(error).toBeInstanceOf(ListenError);
  expect(error).toMatchObject({ code: 'EADDRINUSE', host: '127.0.0.1', port });
  expect((error as Error).message).toBe(`cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)`);
  // The second of two: the first has listened already.
  const first = port - 1;
  expect(await rejectionOf(EmbeddedCluster.start$(2, { port: first }))).toMatchObject({ code: 'EADDRINUSE' });
  await eventually(() =>
    expect(exchange(`http://127.0.0.1:${first}`, { method: 'GET', target: '/version' })).rejects.toThrow(),
  );
  await new Promise((resolve) => other.close(resolve));
});

test.each<[string, () => Observable<unknown>, string, unknown, string]>([
  ['port', () => EmbeddedEtcd.start$({ port: 65_536 }), 'port', 65_536, 'a port: an integer of 0 to 65535'],
  ['ports', () => EmbeddedCluster.start$(3, { port: 65_534 }), 'port', 65_534, 'an integer of 0 to 65533'],
  ['text', () => EmbeddedEtcd.start$({ port: '1' as never }), 'port', '1', 'a port'],
  ['size', () => EmbeddedCluster.start$(0), 'size', 0, 'an integer of 1 or more'],
  ['host', () => EmbeddedEtcd.start$({ host: '' }), 'host', '', 'a host name'],
  ['time', () => EmbeddedEtcd.start$({ electionTimeout: -1 }), 'electionTimeout', -1, 'milliseconds above 0'],
  ['limit', () => EmbeddedEtcd.start$({ requestTimeout: NaN }), 'requestTimeout', NaN, 'milliseconds'],
  [
    'clock',
    () => EmbeddedEtcd.start$({ clock: {} as never }),
    'clock',
    {},
    'an object with a function now()',
  ],
  ['name', () => EmbeddedEtcd.start$({ prot: 1 } as never), 'prot', 1, 'host, port, electionTimeout'],
])('an option that will not do is named, with its value: %s', async (_, start$, option, value, expected) => {
  const error = await rejectionOf(start$());
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect(error).toMatchObject({ code: 'INVALID_OPTION', option, value });
  expect((error as Error).message).toContain(expected);
});

test('the same server starts for each subscription', async () => {
  const start$ = EmbeddedEtcd.start$();
  const [one, two] = [await firstValueFrom(start$), await firstValueFrom(start$)];
  for (const etcd of [one, two]) afterwards(() => firstValueFrom(etcd.stop$()));
  expect(one.url).not.toBe(two.url);
  expect(inspect(one)).toBe(`EmbeddedEtcd ${one.url} (running)`);
});

test('the time may come from elsewhere', async () => {
  let now = BigInt(Date.now()) * 1_000_000n;
  const etcd = await start({ clock: { now: () => now } });
  await exchange(etcd.url, { method: 'PUT', target: '/v2/keys/k?value=v&ttl=86400' });
  const status = async () => (await exchange(etcd.url, { method: 'GET', target: '/v2/keys/k' })).status;
  expect(await status()).toBe(200);
  now += 86_401n * 1_000_000_000n;
  await eventually(async () => expect(await status()).toBe(404));
});

test('users and roles count in the index of the store', async () => {
  const etcd = await start();
  const send = (method: string, target: string, body?: string) =>
    exchange(etcd.url, { method, target, ...(body !== undefined && { body }) });
  const index = async () =>
    (JSON.parse((await send('GET', '/v2/keys/none')).body) as { index: number }).index;
  const before = await index();
  expect((await send('PUT', '/v2/auth/users/root', '{"user":"root","password":"p"}')).status).toBe(201);
  expect((await send('PUT', '/v2/auth/enable')).status).toBe(200);
  expect(await index()).toBeGreaterThan(before);
  expect((await send('GET', '/v2/auth/users')).status).toBe(401);
  expect((await send('POST', '/v2/members')).status).toBe(401);
});
