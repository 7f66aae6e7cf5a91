import * as fc from 'fast-check';
import {
  EtcdClient,
  EtcdError,
  isKeyNotFound,
  isOutcomeUnknown,
  type ClientEvent,
  type ClientOptions,
} from 'rxetcd';
import { firstValueFrom, map, NEVER, ReplaySubject, take, toArray, type Observable } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { eventually } from '../../support/jest/eventually.js';
import { forAll } from '../../support/values/for-all.js';
import { runSeed } from '../../support/values/random.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../../support/scripted/scripted-server.js';

/* Answers that no etcd gives, but a proxy, a cache or something hostile in its place may. */
const cleanUps: (() => unknown)[] = [];
afterEach(() => cleanUp(cleanUps));

/** A lone leader that is probed as any other; whatever else it is asked it answers as it is told. */
async function member(act: (request: ScriptedRequest) => ScriptedAction): Promise<ScriptedServer> {
  const scripted: ScriptedServer = await firstValueFrom(
    startScriptedServer((request) => {
      const self = { id: 'aa', name: 'one', peerURLs: [], clientURLs: [scripted.url] };
      const probed: Record<string, object> = {
        '/v2/members/leader': self,
        '/v2/members': { members: [self] },
        '/v2/stats/self': { id: 'aa', name: 'one' },
        '/version': { etcdserver: '3.4.23', etcdcluster: '3.4.0' },
      };
      const isIndex = request.path.endsWith('/_rxetcd');
      const body = request.method === 'GET' ? probed[request.path] : undefined;
      if (isIndex) return { status: 404, body: { errorCode: 100, message: 'Key not found', index: 7 } };
      return body === undefined ? act(request) : { status: 200, body };
    }),
  );
  cleanUps.push(() => firstValueFrom(scripted.close$()));
  return scripted;
}

function clientOf({ url }: ScriptedServer, options: ClientOptions = {}): EtcdClient {
  const client = new EtcdClient(url, {
    discover: false,
    deadline: 5_000,
    retry: { max: 1, initialDelay: 1 },
    ...options,
  });
  cleanUps.push(() => client.close());
  return client;
}

const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
const deepTree = (levels: number): string =>
  `{"action":"get","node":${'{"key":"/a","dir":true,"nodes":['.repeat(levels)}${']}'.repeat(levels)}}`;
const node = (fields: object): string => JSON.stringify({ action: 'set', node: { key: '/a', ...fields } });

/** The inputs that the trials found, and their like; what the error says of each. */
const wrong: [string, string, string][] = [
  ['JSON 200,000 levels deep', deep(200_000), 'JSON of more than 4200 levels'],
  ['a list as deep', '['.repeat(200_000) + ']'.repeat(200_000), 'JSON of more than 4200 levels'],
  ['a tree as deep', deepTree(100_000), 'JSON of more than 4200 levels'],
  ['a node that is null', '{"action":"set","node":null}', 'node is null'],
  ['a node that is a list', '{"action":"set","node":[]}', 'node is a list'],
  ['a node before that is null', '{"action":"set","node":{"key":"/a"},"prevNode":null}', 'prevNode is null'],
  ['children that are null', node({ dir: true, nodes: null }), 'node.nodes is null'],
  ['a child that is null', node({ dir: true, nodes: [null] }), 'node.nodes[0] is null'],
  [
    'a child without a key',
    node({ dir: true, nodes: [{ key: '/a/b' }, {}] }),
    'node.nodes[1].key is missing',
  ],
  ['a key that is a number', '{"action":"set","node":{"key":7}}', 'node.key is a number'],
  ['a value that is a number', node({ value: 7 }), 'node.value is a number'],
  ['an index that is text', node({ modifiedIndex: '200' }), 'node.modifiedIndex is text'],
  [
    'an index that is huge',
    node({ modifiedIndex: 1e300 }),
    'node.modifiedIndex is a number that is no index',
  ],
  ['an index below 0', node({ createdIndex: -1 }), 'node.createdIndex is a number that is no index'],
  ['half an index', node({ modifiedIndex: 1.5 }), 'node.modifiedIndex is a number that is no index'],
  ['a ttl that is text', node({ ttl: '5' }), 'node.ttl is text'],
  ['an expiration that is a number', node({ expiration: 5 }), 'node.expiration is a number'],
  ['a dir that is text', node({ dir: 'true' }), 'node.dir is text'],
  ['an action of ours', '{"action":"resync","node":{"key":"/a","modifiedIndex":8}}', 'its action is none'],
  ['an action of nobody', '{"action":"__proto__","node":{"key":"/a"}}', 'its action is none of etcd'],
];
const codeOf = (error: unknown): string => (error instanceof EtcdError ? error.code : String(error));

describe('an answer of a wrong shape', () => {
  test.each(wrong)(
    '%s: a read says what is wrong, a write that its outcome is unknown',
    async (_, body, words) => {
      const scripted = await member(({ method }) => ({
        status: 200,
        body: method === 'GET' ? body.replace('"action":"set"', '"action":"get"') : body,
      }));
      const client = clientOf(scripted);
      const read = await rejectionOf(client.get$('/a', { recursive: true }));
      expect(codeOf(read)).toBe('UNEXPECTED_RESPONSE');
      expect((read as Error).message).toContain(words);
      const write = await rejectionOf(client.set$('/a', 'v'));
      expect([codeOf(write), (write as Error).message]).toEqual([
        'OUTCOME_UNKNOWN',
        expect.stringContaining(words),
      ]);
    },
  );

  test.each(wrong)('%s: a watch tries again', async (_, body, words) => {
    let polls = 0;
    const good = { action: 'set', node: { key: '/a', value: 'v', modifiedIndex: 8, createdIndex: 8 } };
    const scripted = await member(() => {
      polls += 1;
      return {
        status: 200,
        headers: { 'X-Etcd-Index': '7' },
        body: polls === 1 ? `${body}\n` : polls === 2 ? `${JSON.stringify(good)}\n` : NEVER,
      };
    });
    const client = clientOf(scripted, { heartbeat: false });
    const lost: string[] = [];
    client.events$.subscribe((event) => event.type === 'watch-lost' && lost.push(event.reason));
    const event = await firstValueFrom(client.watch$('/a'));
    expect(event).toMatchObject({ action: 'set', index: 8, node: { value: 'v' } });
    expect(lost[0]).toContain(words);
  });

  test('2,040 levels, as many as etcd can have over plain http, are read', async () => {
    const tree = (levels: number, key = ''): object =>
      levels === 0
        ? { key, value: 'x' }
        : { key: key || '/', dir: true, nodes: [{ key: `${key}/a`, value: '' }] };
    // By text: no recursion makes it.
    const levels = 2_040;
    const open = Array.from({ length: levels }, () => '{"key":"/k","dir":true,"nodes":[').join('');
    const scripted = await member(() => ({
      status: 200,
      headers: { 'X-Etcd-Index': '7' },
      body: `{"action":"get","node":${open}${JSON.stringify(tree(0, '/k'))}${']}'.repeat(levels)}}`,
    }));
    const client = clientOf(scripted);
    const { node: root } = await firstValueFrom(client.get$('/k', { recursive: true }));
    expect(root.dir).toBe(true);
    const first = await firstValueFrom(client.watch$('/k', { initial: true }));
    expect(first).toMatchObject({ action: 'sync', index: 7 });
  });

  test.each<[string, string, (client: EtcdClient) => Observable<unknown>, string]>([
    ['members', '{"members":7}', (c) => c.members.list$(), 'answer.members is a number'],
    ['members', '{"members":[{"id":7}]}', (c) => c.members.list$(), 'answer.members[0].id is a number'],
    ['the leader', '{}', (c) => c.members.leader$(), 'answer.id is missing'],
    ['its URLs', '{"id":"1","clientURLs":"http://a"}', (c) => c.members.leader$(), '.clientURLs is text'],
    ['statistics', '{"leaderInfo":null}', (c) => c.stats.self$(), 'answer.leaderInfo is null'],
    ['of the store', '{"watchers":"7"}', (c) => c.stats.store$(), 'answer.getsSuccess is missing'],
    ['of the leader', '{"followers":{"a":null}}', (c) => c.stats.leader$(), 'answer.followers.a is null'],
    ['auth', '{"enabled":"yes"}', (c) => c.auth.status$(), 'answer.enabled is text'],
    ['users', '{"users":[7]}', (c) => c.auth.users$(), 'answer.users[0] is a number'],
    ['a user', '{"user":"u","roles":[{"role":7}]}', (c) => c.auth.user$('u'), '.roles[0].role is a number'],
    ['roles', '{"roles":{}}', (c) => c.auth.roles$(), 'answer.roles is an object'],
    [
      'a role',
      '{"role":"r","permissions":{"kv":7}}',
      (c) => c.auth.role$('r'),
      '.permissions.kv is a number',
    ],
    ['machines', 'http://a:2379, javascript:alert(1)', (c) => c.machines$(), 'no answer of etcd (text'],
    ['the version', '{"etcdserver":7}', (c) => c.version$(), 'no answer of etcd (JSON of another kind'],
  ])('%s %s', async (_, body, call, words) => {
    let wants = false;
    const scripted: ScriptedServer = await firstValueFrom(
      startScriptedServer(({ path }) =>
        wants
          ? { status: 200, body }
          : path === '/v2/members/leader'
            ? { status: 200, body: { id: 'aa', name: 'one', clientURLs: [scripted.url], peerURLs: [] } }
            : path === '/v2/members'
              ? {
                  status: 200,
                  body: { members: [{ id: 'aa', name: 'one', clientURLs: [scripted.url], peerURLs: [] }] },
                }
              : { status: 200, body: { id: 'aa' } },
      ),
    );
    cleanUps.push(() => firstValueFrom(scripted.close$()));
    const client = clientOf(scripted, { heartbeat: false });
    await firstValueFrom(client.refreshCluster$());
    wants = true;
    const error = await rejectionOf(call(client));
    expect(codeOf(error)).toBe('UNEXPECTED_RESPONSE');
    expect((error as Error).message).toContain(words);
  });

  test(`whatever comes, calls end in an error of the client or a value (seed ${String(runSeed)})`, async () => {
    let answer: ScriptedAction = { status: 200 };
    let calling = false;
    const scripted = await member(() => answer);
    const everywhere: ScriptedServer = await firstValueFrom(
      startScriptedServer(() => (calling ? answer : { status: 404 })),
    );
    cleanUps.push(() => firstValueFrom(everywhere.close$()));
    const json = fc.json({ maxDepth: 4 });
    const real = fc.constantFrom<object>(
      {
        action: 'get',
        node: { key: '/a', dir: true, nodes: [{ key: '/a/b', value: 'v', modifiedIndex: 5 }] },
      },
      { action: 'set', node: { key: '/a', value: 'v', modifiedIndex: 5 }, prevNode: { key: '/a', ttl: 5 } },
      { errorCode: 100, message: 'Key not found', cause: '/a', index: 5 },
      { members: [{ id: 'aa', name: 'one', clientURLs: ['http://a'], peerURLs: ['http://b'] }] },
      { user: 'u', roles: [{ role: 'r', permissions: { kv: { read: ['/a'], write: null } } }] },
      { id: 'aa', leaderInfo: { leader: 'aa' }, etcdserver: '3.4.23', health: 'true', enabled: true },
      { leader: 'aa', followers: { bb: { latency: { current: 1 }, counts: { fail: 0, success: 1 } } } },
    );
    /** A real answer in which one thing is another. */
    const mutated = fc.tuple(real, fc.nat(), fc.jsonValue({ maxDepth: 2 })).map(([object, at, value]) => {
      const text = JSON.stringify(object);
      const places = [...text.matchAll(/:("[^"]*"|\d+|true|null|\[\]|(?=[[{]))/g)];
      const place = places[at % places.length]!;
      const [start, length] = [place.index + 1, (place[1] ?? '').length];
      const rest = length === 0 ? '' : text.slice(start + length);
      return length === 0
        ? `${text.slice(0, start)}${JSON.stringify(value)}${'}'.repeat(3)}`
        : `${text.slice(0, start)}${JSON.stringify(value)}${rest}`;
    });
    const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 307, 400, 401, 403, 404, 409, 412, 500, 503);
    const index = fc.constantFrom('7', '0', '', '9'.repeat(400), '-1', 'x');
    await forAll(
      80,
      fc.tuple(status, fc.oneof(json, mutated, mutated, fc.string()), index, fc.boolean()),
      async ([code, body, etcdIndex, all]) => {
        answer = {
          status: code,
          body: code === 204 ? '' : body,
          headers: etcdIndex === '' ? {} : { 'X-Etcd-Index': etcdIndex },
        };
        const client = clientOf(all ? everywhere : scripted, {
          deadline: 60,
          heartbeat: false,
          retry: { max: 0 },
        });
        calling = true;
        const calls: Observable<unknown>[] = [
          client.get$('/a', { recursive: true }),
          client.getValue$('/a'),
          client.set$('/a', 'v'),
          client.createInOrder$('/a', 'v'),
          client.deleteDir$('/a'),
          client.members.list$(),
          client.members.remove$('aa'),
          client.stats.leader$(),
          client.stats.self$({ each: true }).pipe(toArray()),
          client.auth.users$(),
          client.auth.createUser$('u', 'pw'),
          client.auth.enable$(),
          client.version$(),
          client.machines$(),
          client.health$().pipe(toArray()),
          client.watchOnce$('/a', { timeout: 60 }),
          client.raw$('GET', '/v2/keys/a'),
        ];
        const errors = await Promise.all(
          calls.map((call) =>
            firstValueFrom(call).then(
              () => undefined,
              (error: unknown) => error,
            ),
          ),
        );
        calling = false;
        client.close();
        for (const error of errors)
          if (error !== undefined && !(error instanceof EtcdError))
            throw new Error('not an error of the client', { cause: error });
      },
    );
  }, 120_000);
});

describe('an answer that was meant for somebody else', () => {
  const got = (key?: string, more = {}) => ({
    action: 'get',
    node: { ...(key && { key }), value: 'v', ...more },
  });
  const headers = { 'X-Etcd-Index': '7' };

  test.each<[string, string, object]>([
    ['another key', '/a', got('/b')],
    ['a key below', '/a', got('/a/b')],
    ['a key above', '/a/b', got('/a')],
    ['one that begins like it', '/a', got('/ab')],
    ['the root', '/a', got(undefined, { dir: true, value: undefined })],
    ['a key of the root', '/', got('/a')],
    ['another spelling', '/a b', got('/a+b')],
    ['the event of a write', '/a', { action: 'set', node: { key: '/a', value: 'v', modifiedIndex: 5 } }],
  ])('%s: a read of it is asked again', async (_, key, mixedUp) => {
    let asked = 0;
    const scripted = await member(() => ({
      status: 200,
      headers,
      body: (asked += 1) === 1 ? mixedUp : got(key, { value: 'mine' }),
    }));
    expect((await firstValueFrom(clientOf(scripted).get$(key))).node.value).toBe('mine');
    expect(asked).toBe(2);
  });

  test.each(['/a', '/a/b', '/a b', '/ä/日本/🦊', '/a%2Fb', '/_hidden/x', '/', '/a?b', '/a;b', '/ab/'])(
    'its own key is known: %s',
    async (key) => {
      const scripted = await member(({ path }) => ({
        status: 200,
        headers,
        body: got(decodeURIComponent(path.slice('/v2/keys'.length))),
      }));
      expect((await firstValueFrom(clientOf(scripted).get$(key))).node.value).toBe('v');
    },
  );

  test('"not found" of another key is asked again', async () => {
    let asked = 0;
    const scripted = await member(() =>
      (asked += 1) === 1
        ? { status: 404, headers, body: { errorCode: 100, message: 'Key not found', cause: '/b', index: 7 } }
        : { status: 200, headers, body: got('/a/b') },
    );
    expect(await firstValueFrom(clientOf(scripted).getValue$('/a/b'))).toBe('v');
  });

  test.each(['/a', '/a/b', '/', undefined])(
    '"not found" of its own key or above is believed: %s',
    async (cause) => {
      const body = { errorCode: 100, message: 'Key not found', cause, index: 7 };
      const scripted = await member(() => ({ status: 404, headers, body }));
      expect(isKeyNotFound(await rejectionOf(clientOf(scripted).get$('/a/b')))).toBe(true);
    },
  );

  test.each<[string, (client: EtcdClient) => Observable<unknown>, object]>([
    ['set$', (c) => c.set$('/a', 'v'), { action: 'set', node: { key: '/b', modifiedIndex: 5 } }],
    ['set$', (c) => c.set$('/a', 'v'), got('/a')],
    ['set$ without noValueOnSuccess', (c) => c.set$('/a', 'v'), { action: 'set' }],
    ['createInOrder$', (c) => c.createInOrder$('/q', 'v'), { action: 'create', node: { key: '/q' } }],
    ['createInOrder$', (c) => c.createInOrder$('/q', 'v'), { action: 'create', node: { key: '/p/7' } }],
    ['delete$', (c) => c.delete$('/a'), { action: 'delete', node: { key: '/b', modifiedIndex: 5 } }],
  ])('%s: its outcome is unknown', async (_, call, body) => {
    const scripted = await member(() => ({ status: 200, headers, body }));
    expect(isOutcomeUnknown(await rejectionOf(call(clientOf(scripted))))).toBe(true);
  });

  test('a write that is told "not found" of another key, too', async () => {
    const body = { errorCode: 100, message: 'Key not found', cause: '/b', index: 7 };
    const scripted = await member(() => ({ status: 404, headers, body }));
    expect(isOutcomeUnknown(await rejectionOf(clientOf(scripted).delete$('/a')))).toBe(true);
  });

  test('an in-order key is known by its directory', async () => {
    const created = (key: string) => ({ action: 'create', node: { key, value: 'v', modifiedIndex: 7 } });
    const scripted = await member(({ path }) => ({
      status: 201,
      headers,
      body: created(path === '/v2/keys/' ? '/00000000000000000007' : '/q/r/7'),
    }));
    const client = clientOf(scripted);
    expect(await firstValueFrom(client.createInOrder$('/q/r', 'v'))).toMatchObject({
      node: { key: '/q/r/7' },
    });
    expect((await firstValueFrom(client.createInOrder$('/', 'v'))).node.key).toBe('/00000000000000000007');
  });

  test('a watch takes neither its state nor its events from it', async () => {
    const event = (key: string, modifiedIndex: number) =>
      `${JSON.stringify({ action: 'set', node: { key, value: String(modifiedIndex), modifiedIndex } })}\n`;
    let streams = 0;
    let reads = 0;
    const read$ = new ReplaySubject<void>(1);
    const scripted = await member(({ query }) => {
      if (query.get('wait') !== 'true') {
        if ((reads += 1) === 1) return { status: 200, headers, body: got('/other') };
        read$.next();
        return { status: 200, headers, body: got('/a') };
      }
      streams += 1;
      const body = streams === 1 ? event('/zebra', 9) : read$.pipe(map(() => event('/a', 8)));
      return { status: 200, headers, body };
    });
    const client = clientOf(scripted, { heartbeat: false });
    const events: ClientEvent[] = [];
    client.events$.subscribe((e) => events.push(e));
    const seen = await firstValueFrom(client.watch$('/a', { initial: true }).pipe(take(2), toArray()));
    expect(seen.map(({ action, node: { key }, index }) => [action, key, index])).toEqual([
      ['sync', '/a', 7],
      ['set', '/a', 8],
    ]);
    await eventually(() =>
      events.some((e) => e.type === 'watch-lost' && e.reason.includes('it is of the key /zebra')),
    );
  });
});
