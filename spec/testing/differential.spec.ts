import * as fc from 'fast-check';
import { Agent } from 'node:http';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { patient } from '../support/etcd/etcd-flags.js';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster } from '../support/cluster/local-cluster.js';
import type { LocalCluster } from '../support/cluster/local-cluster.js';
import { runSeed } from '../support/values/random.js';
import { comparable, expectAlike } from './support/comparable.js';
import type { Comparable } from './support/comparable.js';
import { keyRequest, rawRequest, watchRequest } from './support/key-requests.js';
import type { KeyRequest, WatchRequest } from './support/key-requests.js';
import { exchange, openExchange } from './support/raw-exchange.js';
import type { OpenAnswer, RawAnswer, RawRequest } from './support/raw-exchange.js';

/*
 * The same requests to the embedded server and to a real etcd 3.4, which must answer alike to the letter: status, headers with
 * their order, and body. Both start from the same index, so that all indexes are equal too. DIFFERENTIAL_RUNS=n makes it n times
 * as many.
 */
const runs = 75 * Number(process.env['DIFFERENTIAL_RUNS'] ?? 1);
jest.setTimeout(Math.max(120_000, runs * 600));

let cluster: LocalCluster;
let real: string;
let server: EmbeddedEtcd;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let dirs = 0;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ size: 1, release: 'bookworm', timing: patient }));
  real = cluster.members[0]!.clientUrl;
  server = await firstValueFrom(EmbeddedEtcd.start$());
  await align();
});
afterAll(async () => {
  agent.destroy();
  await firstValueFrom(server.stop$());
  await firstValueFrom(cluster.down$());
});

const both = async (raw: RawRequest): Promise<[RawAnswer, RawAnswer]> =>
  Promise.all([exchange(server.url, raw, agent), exchange(real, raw, agent)]);

/** Of a parameter given twice etcd reads the first. */
const asksForOrder = (target: string): boolean =>
  /^(1|t|true)$/i.test(/[?&]sorted=([^&]*)/.exec(target)?.[1] ?? '');

async function compare(raw: RawRequest): Promise<RawAnswer> {
  const sorted = asksForOrder(raw.target);
  const [embedded, etcd] = await both(raw);
  expectAlike(comparable(embedded, sorted), comparable(etcd, sorted));
  return etcd;
}

const indexAt = async (url: string): Promise<number> => {
  const { headers } = await exchange(url, { method: 'GET', target: '/v2/keys/none' });
  return Number(headers[headers.indexOf('X-Etcd-Index') + 1]);
};

/** Brings both to the same index, and gives the next one. */
async function align(): Promise<number> {
  for (;;) {
    const [embedded, etcd] = await Promise.all([indexAt(server.url), indexAt(real)]);
    if (embedded === etcd) return etcd + 1;
    const behind = embedded < etcd ? server.url : real;
    await exchange(behind, { method: 'PUT', target: '/v2/keys/align?value=1' });
  }
}

const newDir = (): string => `/run${++dirs}`;

/** A watch on each server. */
async function openBoth(
  { path, query }: WatchRequest,
  dir: string,
  first: number,
): Promise<[OpenAnswer, OpenAnswer]> {
  const raw = rawRequest({ method: 'GET', path, query }, dir, first);
  const [embedded, etcd] = await Promise.all([openExchange(server.url, raw), openExchange(real, raw)]);
  expectAlike(comparable(embedded.head), comparable(etcd.head));
  return [embedded, etcd];
}

const soFar = ({ head, body, ended }: OpenAnswer): Comparable & { ended: boolean } => ({
  ...comparable({ ...head, body }),
  ended,
});

/** What is open must come to say the same on both. */
async function expectSame([embedded, etcd]: [OpenAnswer, OpenAnswer]): Promise<void> {
  await eventually(
    () => {
      const { expirations: _, ...ours } = soFar(embedded);
      const { expirations: __, ...theirs } = soFar(etcd);
      expect(ours).toEqual(theirs);
    },
    { within: 5_000 },
  );
}

test('the same requests in any order', async () => {
  type Step = { request: KeyRequest } | { watch: WatchRequest };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 12, arbitrary: fc.record({ request: keyRequest }) },
    { weight: 1, arbitrary: fc.record({ watch: watchRequest }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
      const first = await align();
      const dir = newDir();
      const open: [OpenAnswer, OpenAnswer][] = [];
      try {
        for (const one of steps) {
          if ('watch' in one) open.push(await openBoth(one.watch, dir, first));
          else await compare(rawRequest(one.request, dir, first));
        }
        for (const watches of open) await expectSame(watches);
      } finally {
        for (const watch of open.flat()) watch.close();
      }
    }),
    { seed: runSeed, numRuns: runs, endOnFailure: process.env['CI'] !== undefined },
  );
});

test.each([
  ...[
    '/version',
    '/health',
    '/v2/machines',
    '/v2/leader',
    '/v2',
    '/v2/',
    '/v2/keysfoo',
    '/nope',
    '/v2/stats',
    '/v2/stats/',
  ],
  ...[
    '/v2/members/none',
    '/v2/stats/none',
    '/v2/auth',
    '/v2/auth/none',
    '/v2/members/leader/',
    '/v2/stats/self/',
  ],
])('%s with every method', async (target) => {
  for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']) {
    if (target === '/v2/machines' && method === 'GET') continue; // each tells its own URL
    await compare({ method, target });
  }
});

test.each(['self', 'leader', 'store'])('the statistics %s refuse all methods but GET', async (which) => {
  for (const method of ['HEAD', 'PUT', 'POST', 'DELETE', 'PATCH'])
    await compare({ method, target: `/v2/stats/${which}` });
});

test('what a member refuses of its list', async () => {
  const headers = { 'content-type': 'application/json' };
  const bodies = ['{"peerURLs":[]}', '{"peerURLs":["foo"]}', '{}', '{"peerURLs":["http://127.0.0.1"]}'];
  for (const body of [...bodies, '{"peerURLs":["http://127.0.0.1:1/x"]}'])
    await compare({ method: 'POST', target: '/v2/members', headers, body });
  await compare({ method: 'POST', target: '/v2/members', body: bodies[0]! });
  for (const id of ['zzz', '1234', ''])
    for (const method of ['PUT', 'DELETE']) {
      const target = `/v2/members${id === '' ? '' : `/${id}`}`;
      await compare({ method, target, headers, body: '{"peerURLs":["http://127.0.0.1:1"]}' });
    }
});

const json = { 'content-type': 'application/json' };

/** Bodies that say nothing of members that could be: none of them changes the list. */
const uselessBodies = [
  ...['', '  ', '{', 'x', '{x', '[]', '"x"', '1', 'true', 'null', '[]x', '[1,]', '"abc', "'", 'ü', '\u0001'],
  ...[
    'tru',
    'nul',
    'fals',
    'nulx',
    '-',
    '-x',
    '01',
    '1.',
    '1.x',
    '1e',
    '1e+',
    '1e+x',
    '\\',
    '\u007f',
    '\u00a0',
  ],
  ...[
    '{"a"}',
    '{"a":}',
    '{"a" 1}',
    '{"a":1,}',
    '{"a":1 "b"}',
    '{"a":tru}',
    '{"a":\t1}x',
    '[1 2]',
    '[',
    '{"a":[',
  ],
  ...['{"peerURLs":["a\\x"]}', '{"peerURLs":["a\nb"]}', '{"peerURLs":["\\u12"]}', '{"peerURLs":["\\ud800"]}'],
  ...['{"PeerURLs":["foo"]}', '{"PEERURLS":["http://127.0.0.1:1/x"]}', '{"peerurls":["http://127.0.0.1"]}'],
  ...['{"peerURL\u017f":["foo"]}', '{"\\u0070eerURLs":["foo"]}', '{"peerURLs":["<&>"]}', '{"clientURLs":1}'],
  ...['{"peerURLs":"x"}', '{"peerURLs":[1]}', '{"peerURLs":{}}', '{"peerURLs":true}', '{"peerURLs":1.5}'],
  ...['{"peerURLs":null}', '{"peerURLs":[null]}', '{"peerURLs":[["x"]]}', '{"peerURLs":[{}]}'],
  ...['{"peerURLs":[true,1]}', '{"peerURLs":["foo"],"PeerURLs":[]}', '{"peerURLs":["foo"],"peerurls":null}'],
  ...[
    '{"peerURLs":["foo"],"peerURLs":["bar"]}',
    '{"peerURLs":1,"peerURLs":["foo"]}',
    '{"a":{"peerURLs":["x"]}}',
  ],
  ...['{"a":"},{[:","peerURLs":["foo"]}', '{"peerURLs":["foo"]}{}', '{"peerURLs":["\\"","foo"]} '],
  ...['['.repeat(10_000), '['.repeat(10_001), '{"a":'.repeat(10_001)],
];

test.each(['POST /v2/members', 'PUT /v2/members/1234'])(
  'bodies of %s are read as Go reads them',
  async (call) => {
    const [method = '', target = ''] = call.split(' ');
    for (const body of uselessBodies) await compare({ method, target, headers: json, body });
  },
);

test('bodies that nobody would think of are read as Go reads them', async () => {
  const part = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      't',
      'null',
      'true',
      ' ',
      '\n',
    ],
    ...['"peerURLs"', '"PEERURLS":', '["foo"]', '"a":1', '\u00ad', '\u0000', "'", '\\u00e9'],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      await compare({ method: 'POST', target: '/v2/members', headers: json, body: parts.join('') });
    }),
    { seed: runSeed, numRuns: 3 * runs, endOnFailure: process.env['CI'] !== undefined },
  );
});

test('the store counts the same', async () => {
  const counts = async (url: string) =>
    JSON.parse((await exchange(url, { method: 'GET', target: '/v2/stats/store' })).body) as Record<
      string,
      number
    >;
  const before = await Promise.all([counts(server.url), counts(real)]);
  const first = await align();
  const aligned = await Promise.all([counts(server.url), counts(real)]);
  const dir = newDir();
  await fc.assert(
    fc.asyncProperty(keyRequest, async (request) => {
      await compare(rawRequest(request, dir, first));
    }),
    { seed: runSeed, numRuns: 300 },
  );
  const after = await Promise.all([counts(server.url), counts(real)]);
  expect(Object.keys(before[0])).toEqual(Object.keys(before[1]));
  const [embedded, etcd] = after.map((now, i) =>
    Object.fromEntries(Object.entries(now).map(([name, n]) => [name, n - aligned[i]![name]!])),
  );
  expect(embedded).toEqual(etcd);
});

test('keys expire alike, those of one directory with it, and watches tell so in the same order', async () => {
  const first = await align();
  const dir = newDir();
  const put = (path: string, form: [string, string][]) =>
    compare(
      rawRequest(
        {
          method: 'PUT',
          path,
          query: [],
          form,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        },
        dir,
        first,
      ),
    );
  const watch = (path: string, ...query: [string, string][]) =>
    openBoth({ path, query: [['wait', 'true'], ['stream', 'true'], ...query] }, dir, first);
  // First: a key that expires meanwhile is one more index at one server, and not yet at the other.
  const open = [
    await watch('', ['recursive', 'true']),
    await watch('/d'),
    await watch('/d/k'),
    await watch('/last', ['recursive', 'true']),
  ];
  // Each second one later than all before it, so that no two servers can differ about the order.
  await put('/last', [['ttl', '2']]);
  await put('/d', [
    ['dir', 'true'],
    ['ttl', '1'],
  ]);
  await put('/d/k', [['value', 'v']]);
  await put('/first', [['ttl', '0']]);
  const said = ([embedded, etcd]: [OpenAnswer, OpenAnswer]) => [embedded.body, etcd.body];
  try {
    await eventually(() => {
      for (const body of said(open[0]!)) expect(body.match(/"expire"/g)).toHaveLength(3);
    });
    for (const watches of open) await expectSame(watches);
  } finally {
    for (const one of open.flat()) one.close();
  }
  await compare({ method: 'GET', target: `/v2/keys${dir}?waitIndex=${first}&wait=true&recursive=true` });
  await compare({ method: 'GET', target: `/v2/keys${dir}?recursive=true` });
});

test('a history of 1,000 events, and nothing of what came before', async () => {
  await align();
  const write = async (i: number) =>
    both({ method: 'PUT', target: `/v2/keys/flood/${i % 10}?value=${i}&noValueOnSuccess=true` });
  for (let i = 0; i < 1_010; i++) await write(i);
  const next = await align();
  for (const back of [999, 1_000, 1_001, 1_005])
    for (const stream of ['', '&stream=false'])
      await compare({
        method: 'GET',
        target: `/v2/keys/flood?wait=true&recursive=true&waitIndex=${next - back}${stream}`,
      });
});

test('what is no key request at all', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const raw of [
    { method: 'GET', target: '/v2/keys/%zz' },
    { method: 'GET', target: '/v2/keys/%' },
    { method: 'PUT', target: '/v2/keys/big', headers: form, body: `value=${'x'.repeat(10 * 1024 * 1024)}` },
    { method: 'PUT', target: '/v2/keys/big', headers: form, body: `value=${'x'.repeat(3_000)}` },
    { method: 'GET', target: '/v2/keys/big' },
    { method: 'HEAD', target: '/v2/keys/big' },
    { method: 'DELETE', target: '/v2/keys/big', body: 'prevValue=wrong' },
  ])
    await compare(raw);
  const long = { method: 'GET', target: `/v2/keys/${'k'.repeat(4_096)}` };
  for (const url of [server.url, real])
    await expect(exchange(url, long, new Agent())).rejects.toMatchObject({ code: 'ECONNRESET' });
});
