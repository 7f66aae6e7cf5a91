import {
  AuthenticationError,
  isAllNodesDown,
  isAuthenticationError,
  isClientClosed,
  isConflict,
  isInvalidOption,
  isKeyNotFound,
  isNotFound,
  isOutcomeUnknown,
  isRequestTimeout,
  type EtcdClient,
} from 'rxetcd';
import { firstValueFrom, type Observable } from 'rxjs';
import { inspect } from 'node:util';
import { freePorts } from '../../support/ports/free-port.js';
import { headlineOf } from '../../support/jest/headline.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

const server = serverUnderTest();
const auth = { username: 'hush-user', password: 'hush-password' };
const secrets = ['hush', Buffer.from('hush-user:hush-password').toString('base64'), 'PRIVATE KEY'];

/** The one line that a thing is, in whichever way it is printed. */
function lineOf(thing: { toString(): string }): string {
  const line = String(thing);
  expect(line).not.toMatch(/[\n\r{}]|undefined|\[object/);
  expect(JSON.parse(JSON.stringify({ thing }))).toEqual({ thing: line });
  expect(inspect(thing)).toBe(line);
  expect(inspect({ deep: [{ thing }] }, { depth: 9 })).toContain(line);
  for (const shown of [line, inspect(thing, { showHidden: true, depth: 9 })])
    for (const secret of secrets) expect(shown).not.toContain(secret);
  return line;
}

test('a client: open, closed, with what it has found', async () => {
  const client = server.client({ auth, tls: { key: '-----BEGIN PRIVATE KEY-----', passphrase: 'hush' } });
  expect(lineOf(client)).toBe(`EtcdClient (open) ${server.url}`);
  await firstValueFrom(client.refreshCluster$());
  expect(lineOf(client)).toBe(`EtcdClient (open) ${server.url}`);
  client.close();
  expect(lineOf(client)).toBe(`EtcdClient (closed) ${server.url}`);
  const several = server.client({ endpoints: ['a', 'http://b:4001', '[::1]:2379'] });
  expect(lineOf(several)).toBe('EtcdClient (open) http://a:2379 http://b:4001 http://[::1]:2379');
});

test('its parts show nothing of it', () => {
  const client = server.client({ auth });
  for (const part of [
    client,
    client.members,
    client.stats,
    client.auth,
    client.clusterState$,
    client.events$,
  ]) {
    const shown = [
      inspect(part, { showHidden: true, depth: 12 }),
      JSON.stringify(Object.entries(part)),
    ].join();
    for (const secret of secrets) expect(shown).not.toContain(secret);
  }
});

test('a state and a member, before anything is known and after', async () => {
  const client = server.client({ auth });
  const { clusterState$ } = client;
  expect(lineOf(clusterState$.value)).toBe(
    `ClusterState (quorum unknown) Member (not identified) (unknown) ${server.url}`,
  );
  const state = await firstValueFrom(client.refreshCluster$());
  expect(lineOf(state)).toMatch(
    new RegExp(`^ClusterState \\(quorum(, term \\d+)?\\) Member etcd1 \\(leader, running\\) ${server.url}$`),
  );
  expect(lineOf(state.leader!)).toBe(`Member etcd1 (leader, running) ${server.url}`);
  const { member } = await firstValueFrom(client.health$());
  expect(lineOf(member)).toBe(`Member etcd1 (leader, running) ${server.url}`);
});

describe('an error', () => {
  const nowhere = async (): Promise<EtcdClient> => {
    const [port] = await firstValueFrom(freePorts(1));
    const client = server.client({ endpoints: `127.0.0.1:${String(port)}`, deadline: 150, auth });
    await firstValueFrom(client.refreshCluster$());
    return client;
  };
  const closed = (): EtcdClient => {
    const client = server.client({ auth });
    client.close();
    return client;
  };
  const locked = async (): Promise<EtcdClient> => {
    const root = server.client({ auth: { username: 'root', password: 'pw' } });
    await firstValueFrom(root.auth.createUser$('root', 'pw'));
    await firstValueFrom(root.auth.enable$());
    server.afterwards(() => firstValueFrom(root.auth.disable$()));
    return server.client({ auth });
  };
  const frozen = async (): Promise<EtcdClient> => {
    const client = server.client({ auth, timeout: 150, retry: { max: 0 } });
    await firstValueFrom(client.get$('/'));
    await firstValueFrom(server.member.stop$());
    server.afterwards(() => firstValueFrom(server.member.resume$()));
    return client;
  };
  const any = () => server.client({ auth });

  test.each<
    [
      string,
      () => EtcdClient | Promise<EtcdClient>,
      (client: EtcdClient) => Observable<unknown>,
      (e: unknown) => boolean,
      string,
    ]
  >([
    ['of etcd', any, (c) => c.get$('/none'), isKeyNotFound, 'get /none: Key not found (/none) [100]'],
    [
      'of members',
      any,
      (c) => c.members.remove$('1'),
      isNotFound,
      'members.remove 1: No such member: 1 [HTTP 404]',
    ],
    [
      'of auth',
      any,
      (c) => c.auth.enable$(),
      isConflict,
      'auth.enable: auth: No root user available, please create one [HTTP 409]',
    ],
    [
      'of an option',
      any,
      (c) => c.health$({ timeout: -1 }),
      isInvalidOption,
      'timeout: expected a number of milliseconds above 0 and at most 2147483647, got -1',
    ],
    ['of nobody', nowhere, (c) => c.stats.self$(), isAllNodesDown, 'stats.self: no member can be reached'],
    [
      'of a write to nobody',
      nowhere,
      (c) => c.setDir$('/d'),
      isAllNodesDown,
      'setDir /d: no member can be reached',
    ],
    [
      'of a closed client',
      closed,
      (c) => c.members.list$(),
      isClientClosed,
      'members.list: the client is closed',
    ],
    [
      'of credentials',
      locked,
      (c) => c.auth.users$(),
      isAuthenticationError,
      'auth.users: Insufficient credentials [110] (the user name or password is wrong, or the user lacks the right)',
    ],
    ['of time', frozen, (c) => c.machines$(), isRequestTimeout, 'machines: no answer within 150 ms'],
    [
      'of a lost write',
      frozen,
      (c) => c.auth.deleteRole$('r'),
      isOutcomeUnknown,
      'auth.deleteRole r: sent, but its outcome is unknown: timed out after 150 ms',
    ],
  ])('%s is one line, and one more for each try', async (_, make, call, guard, headline) => {
    const error = await rejectionOf(call(await make()));
    expect(guard(error)).toBe(true);
    expect(headlineOf(error)).toBe(headline);
    expect(error instanceof AuthenticationError).toBe(isAuthenticationError(error));
    const shown = [
      inspect(error, { showHidden: true, depth: 9 }),
      JSON.stringify(Object.entries(error as object)),
    ];
    for (const secret of secrets) expect(shown.join()).not.toContain(secret);
  });
});
