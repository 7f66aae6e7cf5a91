import { Agent } from 'node:http';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { patient } from '../support/etcd/etcd-flags.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster } from '../support/cluster/local-cluster.js';
import type { LocalCluster } from '../support/cluster/local-cluster.js';
import { ScriptRunner } from '../support/programs/run-script.js';
import { exchange, openExchange } from './support/raw-exchange.js';
import type { OpenAnswer, RawAnswer, RawRequest } from './support/raw-exchange.js';

/*
 * Keys of 10,000 levels, deeper than a call stack. A real etcd takes them: the embedded server answers it to the letter. No first
 * request of a connection may be as long as their path, so that each connection asks for something short before.
 */
const levels = 10_000;

let cluster: LocalCluster;
let server: EmbeddedEtcd;
let real: string;
let agent: Agent;
const open: OpenAnswer[] = [];

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ size: 1, release: 'bookworm', timing: patient }));
  real = cluster.members[0]!.clientUrl;
});
beforeEach(async () => {
  server = await firstValueFrom(EmbeddedEtcd.start$());
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  for (const answer of open.splice(0)) answer.close();
  agent.destroy();
  await firstValueFrom(server.stop$());
});
afterAll(() => firstValueFrom(cluster.down$()));

const own = /,"(expiration|ttl|modifiedIndex|createdIndex|index)":("[^"]*"|-?\d+)/g;
/** What must be the same: a server's own indexes and times are not, and a body may be too long for a message. */
const blind = ({ status, body }: RawAnswer) => {
  const text = body.replace(own, '');
  return { status, length: text.length, start: text.slice(0, 300), end: text.slice(-300) };
};

/** The same request to both, each on a connection that has had another one. */
async function compare(raw: RawRequest): Promise<RawAnswer> {
  const [ours, theirs] = await Promise.all(
    [server.url, real].map(async (url) => {
      await exchange(url, { method: 'GET', target: '/version' }, agent);
      return exchange(url, raw, agent);
    }),
  );
  expect(blind(ours!)).toEqual(blind(theirs!));
  const same = ours!.body.replace(own, '') === theirs!.body.replace(own, '');
  expect(same).toBe(true); // apart: a difference would print 100 MB
  return theirs!;
}

const deepBelow = (dir: string): string => `/v2/keys${dir}${'/a'.repeat(levels)}`;

test('are written, read, listed, told to watches and deleted as by a real etcd', async () => {
  const deep = deepBelow('/deep');
  const watches = await Promise.all(
    [server.url, real].map((url) =>
      openExchange(url, {
        method: 'GET',
        target: '/v2/keys/deep?wait=true&recursive=true&stream=true',
      }),
    ),
  );
  open.push(...watches);
  expect((await compare({ method: 'PUT', target: `${deep}?value=v` })).status).toBe(201);
  await compare({ method: 'GET', target: deep });
  await compare({ method: 'GET', target: `${deep}/below` });
  await compare({ method: 'PUT', target: `${deep}?value=w&prevValue=v` });
  await compare({ method: 'GET', target: '/v2/keys/deep' });
  const listing = await compare({ method: 'GET', target: '/v2/keys/deep?recursive=true&sorted=true' });
  expect(listing.body.length).toBeGreaterThan(levels * levels);
  await compare({ method: 'DELETE', target: '/v2/keys/deep?dir=true' });
  await compare({ method: 'DELETE', target: '/v2/keys/deep?recursive=true' });
  await compare({ method: 'GET', target: '/v2/keys/deep' });
  await eventually(() => {
    const [ours, theirs] = watches.map(({ body }) => body.replace(own, ''));
    expect(ours!.includes('"action":"delete"')).toBe(true);
    expect(ours === theirs).toBe(true);
  });
});

test('expire with the directory above them, as those of a real etcd', async () => {
  const deep = deepBelow('/short');
  await compare({ method: 'PUT', target: `${deep}?value=v` });
  const watches = await Promise.all(
    [server.url, real].map((url) =>
      openExchange(url, { method: 'GET', target: '/v2/keys/short?wait=true&stream=true' }),
    ),
  );
  open.push(...watches);
  // The last of all: it must not expire before the deep key is there.
  await compare({ method: 'PUT', target: '/v2/keys/short?dir=true&ttl=1&prevExist=true' });
  await eventually(() => {
    const [ours, theirs] = watches.map(({ body }) => body.replace(own, ''));
    expect(ours).toContain('"action":"expire"');
    expect(ours).toBe(theirs);
  });
  await compare({ method: 'GET', target: '/v2/keys/short' });
});

test('a directory of 200,000 keys is listed and expires', async () => {
  const runner = new ScriptRunner();
  // In a process of its own: what is thrown within a timer ends it.
  const { exitCode, stdout, stderr } = await runner.run(
    `import { Store } from './testing/store/store.js';
     import { eventLine } from './testing/http/key-json.js';
     const store = new Store({ clock: { now: () => 1_000_000_000n }, namespaces: ['/1'] });
     const later = 1_800_000_000_000_000_000n;
     store.set('/1/wide', { dir: true, expireTime: later });
     for (let i = 0; i < 200_000; i++) store.set('/1/wide/' + i, { value: 'v' });
     console.log(eventLine(store.get('/1/wide', true, true)).match(/"key"/g).length);
     store.expire(later);
     console.log(store.get('/1', true).node.nodes.length, store.expires);`,
    { limit: 60_000 },
  );
  runner.remove();
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '200001\n0 false\n', stderr: '' });
});
