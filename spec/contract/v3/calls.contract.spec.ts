import * as fc from 'fast-check';
import { firstValueFrom, from as fromPromise } from 'rxjs';
import {
  isAuthenticationError,
  isInvalidOption,
  isNotFound,
  isUnsupportedByServer,
} from '../../../lib/errors.js';
import {
  isCompacted,
  isFutureRevision,
  isLeaseNotFound,
  isPermissionDenied,
} from '../../../lib/v3/errors.js';
import { boundsOf, bytesOf, type KeyRange } from '../../../lib/v3/model/key-range.js';
import { deleteResponse, getResponse, putResponse, rangeResponse } from '../../../lib/v3/model/responses.js';
import { methodOf, services, type Method } from '../../../lib/v3/wire/methods.js';
import type { EtcdProcess } from '../../support/etcd/etcd-process.js';
import { startEtcd, v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { forAll } from '../../support/values/for-all.js';

let member: EtcdProcess;
let client: V3UnderTest;
let url: string;

beforeAll(async () => {
  member = await firstValueFrom(startEtcd());
  url = member.clientUrl;
  client = v3Client({ endpoints: url });
});
afterAll(async () => {
  client.core.close();
  await firstValueFrom(member.terminate$());
});

const refusalOf = (call: Promise<unknown>) => rejectionOf(fromPromise(call));
const key = (text: string) => bytesOf('key', text);
const put = (name: string, value: string) =>
  client.ask('KV', 'Put', { key: key(name), value: key(value), prev_kv: true });

describe('calls', () => {
  test('what is written is read, with all that is told beside it', async () => {
    const first = await put('/told', 'one');
    const written = await put('/told', 'two');
    expect(putResponse(written.answer, written.info!)).toMatchObject({
      prevKv: { key: '/told', value: 'one', version: 1, modRevision: first.info!.revision },
    });
    const { answer, info } = await client.ask('KV', 'Range', boundsOf('key', '/told'));
    expect(getResponse(answer, info!)).toMatchObject({
      kv: {
        key: '/told',
        value: 'two',
        version: 2,
        createRevision: first.info!.revision,
        modRevision: written.info!.revision,
      },
      info: {
        endpoint: url,
        revision: written.info!.revision,
        raftTerm: expect.any(Number) as number,
        memberId: expect.stringMatching(/^[0-9a-f]+$/) as string,
        clusterId: expect.stringMatching(/^[0-9a-f]+$/) as string,
      },
    });
    expect(client.seen.value).toBe(written.info!.revision);
  });

  test('a key is bound to a lease by the id that etcdctl prints', async () => {
    const { answer } = await client.ask('Lease', 'LeaseGrant', { TTL: 60, ID: '7fffffffffffffff' });
    expect(answer).toMatchObject({ ID: '7fffffffffffffff', TTL: 60 });
    await client.ask('KV', 'Put', { key: key('/leased'), value: key('x'), lease: '7fffffffffffffff' });
    const read = await client.ask('KV', 'Range', boundsOf('key', '/leased'));
    expect(getResponse(read.answer, read.info!).kv?.lease).toBe('7fffffffffffffff');
    await client.ask('Lease', 'LeaseRevoke', { ID: '7fffffffffffffff' });
    expect(
      getResponse((await client.ask('KV', 'Range', boundsOf('key', '/leased'))).answer, read.info!).kv,
    ).toBeUndefined();
  });

  test('the answers of all methods come with a header, but for those that are known to have none', async () => {
    const messages: Partial<Record<string, object>> = {
      'KV.Range': boundsOf('key', 'a'),
      'KV.Put': { key: key('a') },
      'KV.DeleteRange': boundsOf('key', 'a'),
      'KV.Compact': { revision: 1 },
      'Lease.LeaseGrant': { TTL: 60, ID: '5' },
      'Lease.LeaseTimeToLive': { ID: '5' },
      'Lease.LeaseRevoke': { ID: '5' },
      'Auth.UserAdd': { name: 'one', password: 'hunter22' },
      'Auth.UserGet': { name: 'one' },
      'Auth.UserChangePassword': { name: 'one', password: 'hunter23' },
      'Auth.RoleAdd': { role: 'r', name: 'r' },
      'Auth.RoleGet': { role: 'r' },
      'Auth.UserGrantRole': { user: 'one', role: 'r' },
      'Auth.UserRevokeRole': { name: 'one', role: 'r' },
      'Auth.RoleGrantPermission': { name: 'r', perm: { permType: 'READ', key: key('a') } },
      'Auth.RoleRevokePermission': { role: 'r', key: key('a') },
      'Auth.RoleDelete': { role: 'r' },
      'Auth.UserDelete': { name: 'one' },
    };
    const asked = [
      ...['KV.Range', 'KV.Put', 'KV.DeleteRange', 'KV.Txn', 'KV.Compact'],
      ...['Lease.LeaseGrant', 'Lease.LeaseTimeToLive', 'Lease.LeaseLeases', 'Lease.LeaseRevoke'],
      ...[
        'Cluster.MemberList',
        'Maintenance.Status',
        'Maintenance.Hash',
        'Maintenance.Alarm',
        'Maintenance.Defragment',
      ],
      ...['Auth.UserAdd', 'Auth.UserGet', 'Auth.UserList', 'Auth.UserChangePassword', 'Auth.RoleAdd'],
      ...['Auth.RoleGet', 'Auth.RoleList', 'Auth.UserGrantRole', 'Auth.UserRevokeRole'],
      ...['Auth.RoleGrantPermission', 'Auth.RoleRevokePermission', 'Auth.RoleDelete', 'Auth.UserDelete'],
      'Auth.AuthDisable',
    ];
    for (const name of asked) {
      const [service = '', method = ''] = name.split('.');
      const message = messages[name] ?? {};
      const { role: _, ...rest } = message as { role?: string };
      // Alone the name of a role that is made.
      const sent = name === 'Auth.RoleAdd' ? rest : message;
      const { info } = await client.ask(service as 'KV', method as 'Put', sent);
      const { headless = false } = (services[service as 'KV'].methods as Record<string, Method>)[method]!;
      expect([name, headless || info !== undefined]).toEqual([name, true]);
      if (info !== undefined) expect(info.endpoint).toBe(url);
    }
  });

  test('what goes to one member stays there', async () => {
    const { answer } = await client.ask('Maintenance', 'Status', {}, url);
    expect(answer.version).toBe(client.cluster.version(url));
  });
});

describe('ranges', () => {
  const byte = fc.constantFrom(0, 1, 0x2f, 0x61, 0x62, 0xfe, 0xff);
  const bytes = (minLength: number) =>
    fc.array(byte, { minLength, maxLength: 3 }).map((some) => Uint8Array.from(some));
  const ranges: fc.Arbitrary<KeyRange> = fc.oneof(
    bytes(1),
    bytes(1).map((prefix) => ({ prefix })),
    bytes(0).map((from) => ({ from })),
    fc
      .tuple(bytes(0), bytes(1))
      .filter(([from, to]) => Buffer.compare(from.length === 0 ? Uint8Array.of(0) : from, to) < 0)
      .map(([from, to]) => ({ from, to })),
    fc.constant({ all: true } as const),
  );
  const holds = (range: KeyRange, one: Uint8Array): boolean => {
    if (typeof range === 'string' || range instanceof Uint8Array)
      return Buffer.compare(bytesOf('', range), one) === 0;
    if (range.prefix !== undefined) {
      const prefix = bytesOf('', range.prefix);
      return Buffer.compare(one.subarray(0, prefix.length), prefix) === 0;
    }
    if (range.from === undefined) return true;
    const { from, to } = range;
    return (
      Buffer.compare(one, bytesOf('', from)) >= 0 &&
      (to === undefined || Buffer.compare(one, bytesOf('', to)) < 0)
    );
  };

  test('the server takes each for what it says, byte for byte', async () => {
    await forAll(
      60,
      fc.tuple(
        fc.uniqueArray(bytes(1), { maxLength: 8, comparator: (a, b) => Buffer.compare(a, b) === 0 }),
        ranges,
      ),
      async ([keys, range]) => {
        await client.ask('KV', 'DeleteRange', boundsOf('range', { all: true }));
        for (const one of keys) await client.ask('KV', 'Put', { key: one, value: one });
        const expected = keys.filter((one) => holds(range, one)).sort((a, b) => Buffer.compare(a, b));
        const read = await client.ask('KV', 'Range', boundsOf('range', range));
        const { kvs, count, more } = rangeResponse(read.answer, read.info!);
        expect(kvs.map(({ keyBytes }) => [...keyBytes])).toEqual(expected.map((one) => [...one]));
        expect(kvs.map(({ valueBytes }) => [...valueBytes])).toEqual(expected.map((one) => [...one]));
        expect([count, more]).toEqual([expected.length, false]);
        const gone = await client.ask('KV', 'DeleteRange', { ...boundsOf('range', range), prev_kv: true });
        const { deleted, prevKvs } = deleteResponse(gone.answer, gone.info!);
        expect([deleted, prevKvs.length]).toEqual([expected.length, expected.length]);
      },
    );
  });

  test('values of any bytes, and of 1.4 MiB', async () => {
    const big = Uint8Array.from({ length: 1_400_000 }, (_, i) => (i * 7) % 256);
    await client.ask('KV', 'Put', { key: key('/big'), value: big });
    const { answer } = await client.ask('KV', 'Range', boundsOf('key', '/big'));
    expect(Buffer.compare(answer.kvs[0]!.value, big)).toBe(0);
  });
});

describe('what etcd refuses', () => {
  test('a revision that is compacted, or yet to come', async () => {
    const { info } = await put('/compact', '1');
    await put('/compact', '2');
    await client.ask('KV', 'Compact', { revision: info!.revision + 1 });
    const at = (revision: number) =>
      refusalOf(client.ask('KV', 'Range', { ...boundsOf('key', '/compact'), revision }));
    expect(isCompacted(await at(info!.revision))).toBe(true);
    expect(isFutureRevision(await at(Number.MAX_SAFE_INTEGER))).toBe(true);
    expect(isCompacted(await refusalOf(client.ask('KV', 'Compact', { revision: info!.revision })))).toBe(
      true,
    );
  });

  test('a lease that is not there, on all ways', async () => {
    const put$ = client.ask('KV', 'Put', { key: key('/x'), lease: '99' });
    expect(isLeaseNotFound(await refusalOf(put$))).toBe(true);
    expect(isLeaseNotFound(await refusalOf(client.ask('Lease', 'LeaseRevoke', { ID: '99' })))).toBe(true);
    const lock = await refusalOf(client.ask('Lock', 'Lock', { name: key('/l'), lease: '99' }));
    expect([isLeaseNotFound(lock), isNotFound(lock)]).toEqual([true, false]);
  });

  test.each<[string, () => Promise<unknown>, RegExp, number]>([
    [
      'an empty key',
      () => client.ask('KV', 'Range', {}),
      /KV\.Range: etcdserver: key is not provided \[3\]/,
      400,
    ],
    [
      'a value of 1.6 MiB',
      () => client.ask('KV', 'Put', { key: key('/x'), value: new Uint8Array(1_650_000) }),
      /request is too large \[3\] \(the server's limit is its flag --max-request-bytes\)/,
      400,
    ],
    [
      'a value of 3 MiB',
      () => client.ask('KV', 'Put', { key: key('/x'), value: new Uint8Array(3_000_000) }),
      /received message larger than max .* \[8\] \(the server's limit/,
      429,
    ],
    [
      '129 operations',
      () =>
        client.ask('KV', 'Txn', {
          success: Array.from({ length: 129 }, (_, i) => ({ request_put: { key: key(`/ops/${i}`) } })),
        }),
      /too many operations in txn request \[3\] \(.*--max-txn-ops\)/,
      400,
    ],
    [
      'a key written twice',
      () =>
        client.ask('KV', 'Txn', {
          success: [{ request_put: { key: key('/d') } }, { request_put: { key: key('/d') } }],
        }),
      /duplicate key given in txn request \[3\]/,
      400,
    ],
    [
      'no leader of an election',
      () => client.ask('Election', 'Leader', { name: key('/e') }),
      /election: no leader \[2\]/,
      500,
    ],
    [
      'a member that is not there',
      () => client.ask('Cluster', 'MemberRemove', { ID: '9' }),
      /member not found \[5\]/,
      404,
    ],
  ])('%s', async (_, ask, words, status) => {
    const error = await refusalOf(ask());
    expect(error).toMatchObject({ code: 'API_ERROR', status });
    expect((error as Error).message.split('\n')[0]).toMatch(words);
  });

  test('a number that no message can carry is refused before it is sent', async () => {
    const call = client.ask('KV', 'Range', { key: key('a'), revision: 2 ** 53 });
    expect(isInvalidOption(await refusalOf(call))).toBe(true);
  });

  test('a call that this release lacks', async () => {
    const ask = () => client.ask('Maintenance', 'HashKV', {});
    const { etcdserver } = (await (await fetch(`${url}/version`)).json()) as { etcdserver: string };
    if (etcdserver.startsWith('3.4.')) expect(isUnsupportedByServer(await refusalOf(ask()))).toBe(true);
    else expect((await ask()).info).toBeDefined();
  });
});

describe('what a heartbeat sees', () => {
  test('the member, who leads, its release and the raft term', async () => {
    const own = v3Client({ endpoints: url });
    try {
      const state = await firstValueFrom(own.core.refreshCluster$());
      const { answer, info } = await own.ask('Maintenance', 'Status', {}, url);
      expect(state.leader?.id).toBe(answer.leader);
      expect(state.members.map(({ id, name, status }) => [id, name, status])).toEqual([
        [info!.memberId, member.name, 'running'],
      ]);
      expect([state.hasQuorum, own.cluster.version(url)]).toEqual([true, answer.version]);
      await eventually(() => own.core.cluster.state$.value.raftTerm === answer.raftTerm);
    } finally {
      own.core.close();
    }
  });
});

describe('with authentication on', () => {
  test('who has no token, a wrong one, or no right is told apart', async () => {
    const guarded = await firstValueFrom(startEtcd());
    const own = v3Client({ endpoints: guarded.clientUrl });
    try {
      const login = async (name: string, password: string) =>
        (await own.ask('Auth', 'Authenticate', { name, password })).answer.token;
      await own.ask('Auth', 'UserAdd', { name: 'root', password: 'hunter22' });
      await own.ask('Auth', 'UserGrantRole', { user: 'root', role: 'root' });
      await own.ask('Auth', 'UserAdd', { name: 'plain', password: 'plain-password' });
      await own.ask('Auth', 'AuthEnable', {});
      const read = () => own.ask('KV', 'Range', boundsOf('key', 'a'));
      const anonymous = await refusalOf(read());
      expect(isAuthenticationError(anonymous)).toBe(true);
      expect((anonymous as Error).message).toContain('(no credentials were given: option auth)');
      // Behind the dot stands the raft index at which it was made: for one that is to come the server would wait.
      own.secret = 'QhcCzfumaLrVJVzm.1';
      const stranger = await refusalOf(read());
      expect(isAuthenticationError(stranger)).toBe(true);
      expect((stranger as Error).message).not.toContain('QhcCzfum');
      own.secret = await login('plain', 'plain-password');
      expect(isPermissionDenied(await refusalOf(read()))).toBe(true);
      expect(isAuthenticationError(await refusalOf(login('root', 'wrong')))).toBe(true);
      own.secret = await login('root', 'hunter22');
      expect((await read()).answer.kvs).toEqual([]);
    } finally {
      own.core.close();
      await firstValueFrom(guarded.terminate$());
    }
  });
});

test('a gateway that is off: a server without the API', async () => {
  const off = await firstValueFrom(startEtcd(['--enable-grpc-gateway=false']));
  const own = v3Client({ endpoints: off.clientUrl });
  try {
    const status = refusalOf(own.ask('Maintenance', 'Status', {}, off.clientUrl));
    expect(isUnsupportedByServer(await status)).toBe(true);
    expect(methodOf('Maintenance', 'Status').path).toBe('/v3/maintenance/status');
  } finally {
    own.core.close();
    await firstValueFrom(off.terminate$());
  }
});
