import {
  isClientClosed,
  isInvalidOption,
  isOutcomeUnknown,
  isRequestTimeout,
  type CallOptions,
  type EtcdClient,
  type InvalidOptionError,
} from 'rxetcd';
import {
  catchError,
  firstValueFrom,
  lastValueFrom,
  of,
  switchMap,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import type { TcpProxy } from '../../support/proxies/tcp-proxy.js';

/* What holds for all calls on directories, members, statistics, authentication and the server. */
const server = serverUnderTest();

type Call = (client: EtcdClient, options?: CallOptions) => Observable<unknown>;
const peer = ['http://127.0.0.1:1'];
const changes = { password: 'hush' };

const reads: [string, Call][] = [
  ['members.list$', (c, o) => c.members.list$(o)],
  ['members.leader$', (c, o) => c.members.leader$(o)],
  ['stats.leader$', (c, o) => c.stats.leader$(o)],
  ['stats.self$', (c, o) => c.stats.self$(o)],
  ['stats.store$', (c, o) => c.stats.store$(o)],
  ['auth.status$', (c, o) => c.auth.status$(o)],
  ['auth.users$', (c, o) => c.auth.users$(o)],
  ['auth.user$', (c, o) => c.auth.user$('u', o)],
  ['auth.roles$', (c, o) => c.auth.roles$(o)],
  ['auth.role$', (c, o) => c.auth.role$('r', o)],
  ['machines$', (c, o) => c.machines$(o)],
  ['version$', (c, o) => c.version$(o)],
  ['raw$ GET', (c, o) => c.raw$('GET', '/version', o)],
];
/** They look before they write, and so end like a read when nothing answers. */
const careful: [string, Call][] = [
  ['updateDir$', (c, o) => c.updateDir$('/d', o)],
  ['deleteDir$', (c, o) => c.deleteDir$('/d', o)],
  ['auth.createUser$', (c, o) => c.auth.createUser$('u', 'hush', o)],
  ['auth.updateUser$', (c, o) => c.auth.updateUser$('u', changes, o)],
];
/** None of them changes this server for another test: all are refused, or touch what is theirs. */
const writes: [string, Call][] = [
  ['setDir$', (c, o) => c.setDir$('/d', o)],
  ['createDir$', (c, o) => c.createDir$('/d', o)],
  ['createDirInOrder$', (c, o) => c.createDirInOrder$('/d', o)],
  ['members.update$', (c, o) => c.members.update$('1', peer, o)],
  ['members.remove$', (c, o) => c.members.remove$('1', o)],
  ['auth.enable$', (c, o) => c.auth.enable$(o)],
  ['auth.disable$', (c, o) => c.auth.disable$(o)],
  ['auth.createUser$ with roles', (c, o) => c.auth.createUser$('u', 'hush', { ...o, roles: ['r'] })],
  ['auth.updateUser$ roles', (c, o) => c.auth.updateUser$('none', { grant: ['r'] }, o)],
  ['auth.deleteUser$', (c, o) => c.auth.deleteUser$('none', o)],
  ['auth.createRole$', (c, o) => c.auth.createRole$('r', {}, o)],
  ['auth.updateRole$', (c, o) => c.auth.updateRole$('none', { grant: { read: ['/a'] } }, o)],
  ['auth.deleteRole$', (c, o) => c.auth.deleteRole$('none', o)],
  ['raw$ DELETE', (c, o) => c.raw$('DELETE', '/v2/keys/none', o)],
];
const each: [string, Call][] = [
  ['versions$', (c, o) => c.versions$(o)],
  ['health$', (c, o) => c.health$(o)],
  ['stats.leader$ each', (c, o) => c.stats.leader$({ ...o, each: true })],
  ['stats.self$ each', (c, o) => c.stats.self$({ ...o, each: true })],
  ['stats.store$ each', (c, o) => c.stats.store$({ ...o, each: true })],
];
// On a server that stands alone the new member would be half of the cluster: never sent where it could succeed.
const add: [string, Call] = ['members.add$', (c, o) => c.members.add$(peer, o)];
const harmless = [...reads, ...careful, ...writes, ...each];
const every = [...harmless, add];

const ended = (call$: Observable<unknown>) => lastValueFrom(call$.pipe(catchError(() => of('an error'))));

describe.each(harmless)('%s', (_, call) => {
  test('is cold, and each subscription sends again', async () => {
    const client = server.client();
    await firstValueFrom(client.get$('/'));
    let sent = 0;
    client.events$.subscribe((event) => {
      if (event.type === 'request' && event.operation !== 'probe') sent += 1;
    });
    const call$ = call(client);
    expect(sent).toBe(0);
    await ended(call$);
    expect(sent).toBeGreaterThan(0);
    const first = sent;
    await ended(call$);
    expect(sent).toBeGreaterThanOrEqual(first + 1);
  });
});

describe.each(every)('%s', (_, call) => {
  test('fails once the client is closed, and when it closes under way', async () => {
    const client = server.client();
    const proxy = await server.proxy();
    const slow = server.client({ endpoints: proxy.url, discover: false });
    proxy.pause('both');
    const underWay = rejectionOf(call(slow));
    await eventually(() => proxy.accepted > 0);
    slow.close();
    expect(isClientClosed(await underWay)).toBe(true);
    client.close();
    const error = await rejectionOf(call(client));
    expect(isClientClosed(error)).toBe(true);
  });
});

describe('a server that does not answer', () => {
  /** Knows the leader; from then on nothing comes back. */
  const silenced = async (): Promise<EtcdClient> => {
    const proxy = await server.proxy();
    const client = server.client({ endpoints: proxy.url, discover: false, heartbeat: false });
    await firstValueFrom(client.refreshCluster$());
    await firstValueFrom(client.set$('/silenced', 'v'));
    proxy.pause('toClient');
    return client;
  };
  // Below a second: then a member that leaves a request unanswered is looked at, and reads go elsewhere.
  const quick: CallOptions[] = [{ timeout: 700, retry: { max: 0 } }, { deadline: 700 }];

  test.each(quick)('reads end by %p: nothing was changed', async (options) => {
    const client = await silenced();
    const calls = [...reads, ...careful];
    const errors = await Promise.all(calls.map(([, call]) => rejectionOf(call(client, options))));
    expect(calls.flatMap(([name], i) => (isRequestTimeout(errors[i]) ? [] : [name]))).toEqual([]);
    for (const error of errors) expect(error).toMatchObject({ timeoutMs: 700, attempts: { length: 1 } });
  });

  test.each(quick)('writes end by %p: their outcome is unknown', async (options) => {
    const client = await silenced();
    const errors = await Promise.all(writes.map(([, call]) => rejectionOf(call(client, options))));
    expect(writes.flatMap(([name], i) => (isOutcomeUnknown(errors[i]) ? [] : [name]))).toEqual([]);
    for (const error of errors) expect(error).toMatchObject({ attempts: { length: 1 } });
  });

  test('those of each member emit a value with an error', async () => {
    const client = await silenced();
    const answers = await Promise.all(
      each.map(([, call]) => lastValueFrom(call(client, { timeout: 200 }).pipe(toArray()))),
    );
    for (const [answer, ...more] of answers) {
      expect(more).toEqual([]);
      expect(answer).toMatchObject({ error: { code: 'REQUEST_TIMEOUT', timeoutMs: 200 } });
    }
  });

  test('and closing the client ends them all', async () => {
    const client = await silenced();
    const endings = every.map(([, call]) => rejectionOf(call(client)));
    let sent = 0;
    client.events$.subscribe(({ type }) => (sent += type === 'request' ? 1 : 0));
    client.close();
    const errors = await Promise.all(endings);
    expect(every.flatMap(([name], i) => (isClientClosed(errors[i]) ? [] : [name]))).toEqual([]);
    expect(sent).toBe(0);
  });
});

test.each(careful)('the look and the write of %s share one deadline', async (name, call) => {
  // Forwards what is asked, but a look takes long and a write for ever.
  const slow = await firstValueFrom(
    startScriptedServer(({ method, path }) => {
      if (method !== 'GET') return { silence: true };
      const look = path === '/v2/keys/d' || path === '/v2/auth/users/u';
      return timer(look ? 1_500 : 0).pipe(
        switchMap(async () => {
          const answer = await fetch(`${server.url}${path}`);
          return { status: answer.status, body: await answer.text() };
        }),
      );
    }),
  );
  server.afterwards(() => firstValueFrom(slow.close$()));
  const client = server.client({ endpoints: slow.url, discover: false, heartbeat: false });
  const there = server.client();
  await lastValueFrom(there.auth.deleteUser$('u').pipe(catchError(() => of(undefined))));
  await lastValueFrom(there.setDir$('/d').pipe(catchError(() => of(undefined))));
  if (name === 'auth.updateUser$') await firstValueFrom(there.auth.createUser$('u', 'pw'));
  await firstValueFrom(client.refreshCluster$());
  const startedAt = performance.now();
  const error = await rejectionOf(call(client, { deadline: 2_500 }));
  const took = performance.now() - startedAt;
  expect(isOutcomeUnknown(error)).toBe(true);
  expect(took).toBeGreaterThan(2_480);
  // With a deadline of its own the write would have taken 1,500 ms more.
  expect(took).toBeLessThan(3_900);
  expect(slow.requests.some(({ method }) => method !== 'GET')).toBe(true);
});

describe('bad input is refused unsent', () => {
  let proxy: TcpProxy;
  let client: EtcdClient;
  const bad = (value: unknown): never => value as never;

  beforeEach(async () => {
    proxy = await server.proxy();
    client = server.client({ endpoints: proxy.url });
  });
  afterEach(async () => {
    // A connection attempted meanwhile would have been accepted before this answer.
    await server.fetch('/keys/');
    expect(proxy.accepted).toBe(0);
  });

  async function refused(call$: Observable<unknown>, option: string, value: unknown): Promise<void> {
    const error = (await rejectionOf(call$)) as InvalidOptionError;
    expect(isInvalidOption(error)).toBe(true);
    expect(error).toMatchObject({ option, attempts: [] });
    expect(error.message.startsWith(`${option}: expected `)).toBe(true);
    expect(error.message).not.toContain('\n');
    // What an object holds could be secret.
    const withheld = typeof value === 'object' && error.value === undefined;
    if (!withheld) expect(error.value).toBe(value);
  }

  /** The same, of a value that could be a secret and is not shown. */
  const refusedUnseen = (call$: Observable<unknown>, option: string): Promise<void> =>
    refused(call$, option, undefined);

  test.each(every)('%s refuses options that it does not know, and bad ones', async (_, call) => {
    const options = (given: object) => call(client, bad(given));
    await refused(options({ recursiv: true }), 'recursiv', true);
    for (const time of [-1, 0, NaN, Infinity, '100', null, 2 ** 31]) {
      await refused(options({ timeout: time }), 'timeout', time);
      await refused(options({ deadline: time }), 'deadline', time);
    }
    await refused(options({ retry: 3 }), 'retry', 3);
    await refused(options({ retry: { max: -1 } }), 'retry.max', -1);
    await refused(options({ retry: { maxDelay: 0 } }), 'retry.maxDelay', 0);
    await refused(options({ retry: { writes: 'all' } }), 'retry.writes', 'all');
    await refused(options({ retry: { times: 3 } }), 'retry.times', 3);
  });

  const spread = new Set(['auth.createUser$ with roles', ...each.slice(2).map(([name]) => name)]);
  test.each(every.filter(([name]) => !spread.has(name)))(
    '%s refuses options that are none',
    async (name, call) => {
      for (const options of [null, 5, 'timeout', true, []]) {
        const call$ = call(client, bad(options));
        // With one argument too many before it, a password stands there.
        if (name.startsWith('auth.')) await refusedUnseen(call$, 'options');
        else await refused(call$, 'options', options);
      }
    },
  );

  const onDirectories: [string, (dir: string, options?: object) => Observable<unknown>][] = [
    ['setDir$', (dir, o) => client.setDir$(dir, o)],
    ['createDir$', (dir, o) => client.createDir$(dir, o)],
    ['updateDir$', (dir, o) => client.updateDir$(dir, o)],
    ['createDirInOrder$', (dir, o) => client.createDirInOrder$(dir, o)],
    ['deleteDir$', (dir, o) => client.deleteDir$(dir, o)],
  ];
  test.each(onDirectories)('%s refuses a name that is none', async (_, call) => {
    const long = `/${'d'.repeat(5_000)}`;
    for (const dir of [undefined, null, 7, {}, '/a//b', '/a/./b', '../b', 'a\uD83E', long])
      await refused(call(bad(dir)), 'key', dir);
  });
  test.each(onDirectories.slice(0, 4))('%s refuses a TTL that is none', async (_, call) => {
    for (const ttl of [-1, 1.5, NaN, Infinity, '10', null, 10n, 9_999_999_999_999])
      await refused(call('/d', { ttl }), 'ttl', ttl);
    await refused(call('/d', { recursive: true }), 'recursive', true);
  });
  test('deleteDir$ refuses a recursive that is no boolean', async () => {
    await refused(client.deleteDir$('/d', { recursive: bad('yes') }), 'recursive', 'yes');
    await refused(client.deleteDir$('/d', bad({ ttl: 5 })), 'ttl', 5);
  });

  test('members.update$ and remove$ refuse an id that is none', async () => {
    for (const id of [undefined, null, 7, '', 'node1', '12/34', '../x', '0x12', ' 12']) {
      await refused(client.members.update$(bad(id), peer), 'id', id);
      await refused(client.members.remove$(bad(id)), 'id', id);
    }
  });
  test('members.add$ and update$ refuse peer URLs that are none', async () => {
    const lists = [
      undefined,
      null,
      'http://127.0.0.1:2380',
      [],
      [7],
      ['127.0.0.1:2380'],
      ['http://127.0.0.1'],
      ['http://127.0.0.1:2380/path'],
      ['ftp://127.0.0.1:2380'],
      [...peer, ''],
    ];
    for (const urls of lists) {
      await refused(client.members.add$(bad(urls)), 'peerURLs', urls);
      await refused(client.members.update$('1', bad(urls)), 'peerURLs', urls);
    }
  });

  test('stats refuse an each that is no boolean', async () => {
    const options = { each: bad('yes') };
    await refused(client.stats.leader$(options), 'each', 'yes');
    await refused(client.stats.self$(options), 'each', 'yes');
    await refused(client.stats.store$(options), 'each', 'yes');
  });

  test('names of users and roles', async () => {
    for (const name of [undefined, null, 7, '', 'a/b', '.', '..', 'a\uD83E']) {
      const user = bad(name);
      await refused(client.auth.user$(user), 'user', name);
      await refused(client.auth.createUser$(user, 'pw'), 'user', name);
      await refused(client.auth.updateUser$(user, changes), 'user', name);
      await refused(client.auth.deleteUser$(user), 'user', name);
      await refused(client.auth.role$(user), 'role', name);
      await refused(client.auth.createRole$(user), 'role', name);
      await refused(client.auth.updateRole$(user, { grant: { read: ['/a'] } }), 'role', name);
      await refused(client.auth.deleteRole$(user), 'role', name);
    }
  });

  test('lists of roles', async () => {
    for (const roles of [null, 'root', [7], [''], ['a/b']]) {
      await refused(client.auth.createUser$('u', 'pw', { roles: bad(roles) }), 'roles', roles);
      await refused(client.auth.updateUser$('u', { grant: bad(roles) }), 'changes.grant', roles);
      await refused(client.auth.updateUser$('u', { revoke: bad(roles) }), 'changes.revoke', roles);
    }
  });

  test('permissions', async () => {
    for (const patterns of [null, '/a', [7], ['a'], ['']]) {
      const read = bad(patterns);
      await refused(client.auth.createRole$('r', { read }), 'permissions.read', patterns);
      await refused(client.auth.createRole$('r', { write: read }), 'permissions.write', patterns);
      await refused(client.auth.updateRole$('r', { grant: { read } }), 'changes.grant.read', patterns);
      await refused(
        client.auth.updateRole$('r', { revoke: { write: read } }),
        'changes.revoke.write',
        patterns,
      );
    }
    await refusedUnseen(client.auth.createRole$('r', bad({ kv: 'all' })), 'permissions.kv');
    await refused(client.auth.updateRole$('r', { grant: bad('/a') }), 'changes.grant', '/a');
  });

  test('changes that change nothing', async () => {
    const nothing = { grant: undefined };
    for (const none of [{}, nothing]) {
      await refused(client.auth.updateUser$('u', none), 'changes', none);
      await refused(client.auth.updateRole$('r', none), 'changes', none);
    }
  });

  test('changes that are none', async () => {
    for (const none of [null, undefined, 7]) {
      const user = (await rejectionOf(client.auth.updateUser$('u', bad(none)))) as InvalidOptionError;
      const role = (await rejectionOf(client.auth.updateRole$('r', bad(none)))) as InvalidOptionError;
      expect([user, role].map(({ option }) => option)).toEqual(['changes', 'changes']);
    }
    await refusedUnseen(client.auth.updateUser$('u', bad({ granted: 5 })), 'changes.granted');
  });

  test('a password that is none, without showing it', async () => {
    const secret = 'hush-hush';
    for (const password of [undefined, null, 7, '', { secret }, [secret], `${secret}\uD83E`]) {
      for (const [call$, option] of [
        [client.auth.createUser$('u', bad(password)), 'password'],
        ...(password === undefined
          ? []
          : ([[client.auth.updateUser$('u', { password: bad(password) }), 'changes.password']] as const)),
      ] as const) {
        const error = (await rejectionOf(call$)) as InvalidOptionError;
        expect(isInvalidOption(error)).toBe(true);
        expect(error).toMatchObject({ option, value: undefined, attempts: [] });
        expect([error.message, error.stack, JSON.stringify(Object.entries(error))].join()).not.toContain(
          'hush',
        );
      }
    }
    // A password in the wrong place.
    for (const call$ of [
      client.auth.updateUser$('u', bad(secret)),
      client.auth.updateUser$('u', bad({ passwort: secret })),
      client.auth.createUser$('u', 'pw', bad({ password: secret })),
      client.auth.createUser$('u', 'pw', bad({ passwd: secret })),
    ]) {
      const error = (await rejectionOf(call$)) as InvalidOptionError;
      expect(isInvalidOption(error)).toBe(true);
      expect([error.message, error.stack, JSON.stringify(Object.entries(error))].join()).not.toContain(
        'hush',
      );
    }
  });
});
