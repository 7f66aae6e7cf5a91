import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { EtcdClient } from 'rxetcd';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { Program } from '../support/programs/program.js';
import { cleanUp } from '../support/jest/clean-up.js';

/* Each is on a cluster of its own: they go side by side, and what is open is ended behind all. */
const undos: (() => unknown)[] = [];
afterAll(() => cleanUp(undos));

const server = serverUnderTest();
let job: Program;
beforeAll(() => {
  job = new Program('examples/main-job.ts');
});
afterAll(() => job.remove());

const kept = /^kept {2}/gm;

test.concurrent(
  'by itself it kills the leader of an embedded cluster, ends, and kept every promise',
  async () => {
    const run = job.start();
    expect([await run.exitCode(), run.errors]).toEqual([0, '']);
    const { printed } = run;
    const killed = /KILL {5}(\w+)/.exec(printed)![1]!;
    expect(printed).toMatch(
      new RegExp(`KILL {5}${killed}\n[^]*${killed} down[^]* leads[^]*RESTART {2}${killed}\n`),
    );
    expect(printed).toMatch(/event {4}\d+: set \/rxetcd-main-job-\w+\/instance-0 = revision 0\n/);
    expect(printed).toMatch(
      /writes acknowledged, \d+ of unknown outcome\n[^]*none of the acknowledged missed\n/,
    );
    expect(printed).toMatch(/a new leader was named \d+\.\d\d s after the kill\n$/);
    expect(printed.match(kept)).toHaveLength(4);
    expect(printed).not.toContain('BROKEN');
  },
);

test.concurrent(
  'with ETCD_ENDPOINTS it runs on that cluster, kills nobody, and leaves nothing behind',
  async () => {
    const run = job.start(['1'], { ETCD_ENDPOINTS: ` ${server.url} ` });
    expect([await run.exitCode(), run.errors]).toEqual([0, '']);
    expect(run.printed).toContain(`${server.url}: kills nobody`);
    expect(run.printed).not.toContain('KILL ');
    expect(run.printed.match(kept)).toHaveLength(3);
    const client = new EtcdClient(server.url);
    undos.push(() => client.close());
    const { node } = await firstValueFrom(client.get$('/'));
    expect((node.nodes ?? []).map(({ key }) => key).filter((key) => key.includes('main-job'))).toEqual([]);
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
