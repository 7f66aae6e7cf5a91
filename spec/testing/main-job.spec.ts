import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { EtcdClient } from 'rxetcd';
import { EtcdClient as V3Client } from 'rxetcd/v3';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { findEtcd } from '../support/etcd/find-etcd.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { Program } from '../support/programs/program.js';
import { cleanUp } from '../support/jest/clean-up.js';

/* Each is on a cluster of its own: they go side by side, and what is open is ended behind all. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));

const server = serverUnderTest();
let job: Program;
beforeAll(() => {
  job = new Program('examples/main-job/main-job.ts');
});
afterAll(() => job.remove());

const kept = /^kept {2}/gm;

/** What a run by itself prints: it killed the leader and let it come back, and kept every promise. */
function expectStruck(printed: string, verb: string): void {
  const killed = /KILL {5}(\w+)/.exec(printed)![1]!;
  expect(printed).toMatch(
    new RegExp(`KILL {5}${killed}\n[^]*${killed} down[^]* leads[^]*RESTART {2}${killed}\n`),
  );
  expect(printed).toMatch(new RegExp(`event {4}\\d+: ${verb} /rxetcd-main-job-\\w+/instance-0 = write 0\n`));
  expect(printed).toMatch(
    /writes acknowledged, \d+ of unknown outcome\n[^]*none of the acknowledged missed\n/,
  );
  expect(printed).toMatch(/a new leader was named \d+\.\d\d s after the kill\n$/);
  expect(printed.match(kept)).toHaveLength(4);
  expect(printed).not.toContain('BROKEN');
}

test.concurrent('on the etcd of this machine, by the v3 API', async () => {
  const { path, version } = await firstValueFrom(findEtcd());
  const run = job.start([], { ETCD_BIN: path });
  expect([await run.exitCode(), run.errors]).toEqual([0, '']);
  expect(run.printed).toContain(`etcd ${version} found on this machine: three members of it, by the v3 API`);
  expect(run.printed).toMatch(/event {4}\d+: sync, 1 keys\n[^]*event {4}\d+: live\n/);
  expectStruck(run.printed, 'put');
});

test.concurrent.each([
  ['where there is none', { ETCD_BIN: '/nowhere/etcd' }, 'no etcd found on this machine'],
  ['where that is wanted', { ETCD_API: 'v2' }, 'three embedded members'],
])('on embedded members, by the v2 API, %s', async (_, env, title) => {
  const run = job.start([], env);
  expect([await run.exitCode(), run.errors]).toEqual([0, '']);
  expect(run.printed).toContain(title);
  expectStruck(run.printed, 'set');
});

test.concurrent.each(['v2', 'v3'])(
  'with ETCD_ENDPOINTS it runs on that cluster, by the API %s, kills nobody, and leaves nothing behind',
  async (api) => {
    const run = job.start(['1'], { ETCD_ENDPOINTS: ` ${server.url} `, ETCD_API: api });
    expect([await run.exitCode(), run.errors]).toEqual([0, '']);
    expect(run.printed).toContain(`${server.url}, by the ${api} API: kills nobody`);
    expect(run.printed).not.toContain('KILL ');
    expect(run.printed.match(kept)).toHaveLength(3);
    const [client, v3] = [new EtcdClient(server.url), new V3Client(server.url)];
    undos.push(
      () => client.close(),
      () => v3.close(),
    );
    const [prefix = ''] = /\/rxetcd-main-job-\w+/.exec(run.printed) ?? [];
    expect(prefix).not.toBe('');
    expect(await firstValueFrom(client.exists$(prefix))).toBe(false);
    expect(await firstValueFrom(v3.count$({ prefix }))).toBe(0);
  },
);

test.concurrent('a promise that is broken ends it with 1', async () => {
  const etcd = await firstValueFrom(EmbeddedEtcd.start$());
  undos.push(() => firstValueFrom(etcd.stop$()));
  const liar = await startLiar(etcd);
  undos.push(() => {
    liar.close();
    liar.closeAllConnections();
  });
  const run = job.start(['1'], {
    ETCD_ENDPOINTS: `http://127.0.0.1:${(liar.address() as AddressInfo).port}`,
    ETCD_API: 'v2',
  });
  expect(await run.exitCode()).toBe(1);
  expect(run.printed).toMatch(/^BROKEN {2}\d+ events, 1 of the acknowledged missed$/m);
});

test.concurrent('a cluster that is not there ends it with 1, and says so', async () => {
  const run = job.start([], { ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
  expect(await run.exitCode()).toBe(1);
  expect(run.errors).toContain('AllNodesDownError');
});

/** Passes everything on to the server, but acknowledges the third write without doing it. */
async function startLiar(etcd: EmbeddedEtcd): Promise<Server> {
  let writes = 0;
  const liar = createServer((asked, answer) => {
    const isWrite = asked.method === 'PUT' && (asked.url ?? '').includes('instance');
    if (isWrite && (writes += 1) === 3) {
      const key = decodeURIComponent((asked.url ?? '').replace(/^\/v2\/keys|\?.*$/g, ''));
      const node = { key, value: 'x', modifiedIndex: 1_000_000, createdIndex: 1_000_000 };
      answer.writeHead(201, { 'Content-Type': 'application/json' });
      answer.end(JSON.stringify({ action: 'set', node }));
      return;
    }
    const options = { method: asked.method, headers: asked.headers };
    const passed = request(etcd.url + (asked.url ?? ''), options, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  liar.listen(0, '127.0.0.1');
  await once(liar, 'listening');
  return liar;
}
