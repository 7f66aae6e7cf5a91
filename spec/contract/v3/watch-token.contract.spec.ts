import { concat, NEVER, of } from 'rxjs';
import { isAuthenticationError } from '../../../lib/errors.js';
import { isPermissionDenied } from '../../../lib/v3/errors.js';
import { bytesOf } from '../../../lib/v3/model/key-range.js';
import type { V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { afterEachTest } from '../../support/jest/clean-up.js';
import { eventually } from '../../support/jest/eventually.js';
import { plainAuth, startGuardedEtcd } from '../../support/v3/guarded-etcd.js';
import { startEtcdFront } from '../../support/v3/etcd-front.js';
import { watchBed } from '../../support/v3/watch-bed.js';

/* Watches of a user: a stream bears the token that it was opened with, and its watches go on whatever becomes of that. */

const afterwards = afterEachTest();

async function guarded(...given: Parameters<typeof startGuardedEtcd>) {
  const etcd = await startGuardedEtcd(...given);
  afterwards(() => etcd.close());
  /** Watches, with the tokens of a client. */
  const bedOf = (client = etcd.client()) => {
    const { auth } = client.settings;
    const bed = watchBed(
      etcd.version,
      { endpoints: etcd.url, ...(auth === undefined ? {} : { auth: { ...auth } }) },
      client.tokens,
    );
    afterwards(() => bed.close());
    return bed;
  };
  return { ...etcd, bedOf };
}
/** What such a release tells of a watch with a token that it does not take; the stream stays open. */
const denied = `${JSON.stringify({
  result: {
    header: { cluster_id: '1', member_id: '2', revision: '1', raft_term: '2' },
    watch_id: '-1',
    created: true,
    canceled: true,
    cancel_reason: 'rpc error: code = PermissionDenied desc = etcdserver: permission denied',
  },
})}\n`;
const key = (name: string) => bytesOf('key', name);
const put = (client: V3UnderTest, name: string, value: string) =>
  client.ask('KV', 'Put', { key: key(name), value: key(value) });

test('many watches that begin at once wait for one token, and share a stream', async () => {
  const etcd = await guarded();
  const client = etcd.client();
  const bed = etcd.bedOf(client);
  const logs = await Promise.all(
    Array.from({ length: 100 }, (_, i) => bed.watch(`/own/${i}`, { initial: i % 2 === 0 }).live()),
  );
  await put(client, '/own/7', 'x');
  await logs[7]?.until('put /own/7=x');
  expect([client.asked['Auth.Authenticate'], bed.opened]).toEqual([1, ['open']]);
});

describe.each<[string, string[], string?]>([
  ['a simple token that was idle for too long', ['--auth-token-ttl', '1']],
  ['a web token that has expired', [], '2s'],
])('%s', (_, ...given) => {
  test.each([true, false])(
    'new watches open a second stream, old ones stay (bodies stay open: %p)',
    async (openBodies) => {
      const etcd = await guarded(...given);
      const client = etcd.client();
      const bed = etcd.bedOf(client);
      bed.openBodies = openBodies;
      const old = await bed.watch('/own/old').live();
      const token = client.token() ?? '';
      await eventually(
        async () => {
          const { status } = await fetch(`${etcd.url}/v3/kv/range`, {
            method: 'POST',
            body: JSON.stringify({ key: Buffer.from('/own/a').toString('base64') }),
            headers: { authorization: token },
          });
          return status !== 200;
        },
        { every: 3_000 },
      );
      const fresh = await Promise.all(['a', 'b', 'c'].map((name) => bed.watch(`/own/${name}`).live()));
      for (const name of ['old', 'a', 'c']) await put(client, `/own/${name}`, 'x');
      await old.until('put /own/old=x');
      await fresh[0]?.until('put /own/a=x');
      await fresh[2]?.until('put /own/c=x');
      expect(old.source.run?.stage).toBe('live');
      expect(client.asked['Auth.Authenticate']).toBe(2);
      if (openBodies) expect(bed.opened).toEqual(['open', 'open']);
    },
  );
});

test('watches whose member has forgotten the token are back with the next one, and miss nothing', async () => {
  const etcd = await guarded(['--snapshot-count', '5']);
  const client = etcd.client();
  const bed = etcd.bedOf(client);
  const logs = await Promise.all(['a', 'b', 'c'].map((name) => bed.watch(`/own/${name}`).live()));
  await put(client, '/own/a', '0');
  for (let i = 0; i < 30; i += 1) await put(etcd.admin, '/x', 'x');
  await etcd.restart();
  for (const name of ['a', 'b', 'c']) await put(etcd.admin, `/own/${name}`, '1');
  await Promise.all(logs.map((log, i) => log.until(`put /own/${'abc'[i] ?? ''}=1`)));
  expect(logs[0]?.lines.map((line) => line.split('@')[0])).toEqual(['put /own/a=0', 'put /own/a=1']);
  expect(client.asked['Auth.Authenticate']).toBe(2);
});

test('a change of rights ages a web token: the next watch takes another', async () => {
  const etcd = await guarded([], '10m');
  const client = etcd.client();
  const bed = etcd.bedOf(client);
  await bed.watch('/own/old').live();
  await etcd.admin.ask('Auth', 'RoleAdd', { name: 'more' });
  const log = await bed.watch('/own/new', { initial: true }).live();
  // Else it may hold what is written next.
  await log.until('sync');
  await put(client, '/own/new', 'x');
  await log.until('put /own/new=x');
  expect(bed.opened).toEqual(['open', 'open']);
});

test('etcd 12385: a release that says "permission denied" of a token that it has forgotten', async () => {
  const etcd = await guarded();
  const client = etcd.client();
  await put(client, '/own/a', '0');
  const stale = client.token();
  // The password stays; the tokens go.
  await etcd.admin.ask('Auth', 'UserChangePassword', { name: 'plain', password: plainAuth.password });
  const front = await startEtcdFront(etcd.url);
  afterwards(() => front.close());
  const reads: string[] = [];
  front.handle = async ({ path, headers }, pass) => {
    if (path !== '/v3/watch') reads.push(path);
    else if (headers.authorization === stale) return { status: 200, body: concat(of(denied), NEVER) };
    return pass();
  };
  const bed = etcd.bedOf(client);
  bed.openBodies = false;
  bed.endpoint = front.url;
  const log = await bed.watch('/own/a').live();
  await put(client, '/own/a', '1');
  await log.until('put /own/a=1');
  expect([client.asked['Auth.Authenticate'], reads]).toEqual([2, ['/v3/kv/range']]);
  const other = bed.watch('/other');
  await eventually(() => other.seen.error !== undefined);
  expect(isPermissionDenied(other.seen.error)).toBe(true);
  expect([client.asked['Auth.Authenticate'], reads]).toEqual([2, ['/v3/kv/range', '/v3/kv/range']]);
});

test('a range that the user may not read is refused, and costs no token', async () => {
  const etcd = await guarded();
  const client = etcd.client();
  const bed = etcd.bedOf(client);
  const own = await bed.watch({ prefix: '/own/' }).live();
  const other = bed.watch('/other');
  await eventually(() => other.seen.error !== undefined);
  expect(isPermissionDenied(other.seen.error)).toBe(true);
  await put(client, '/own/a', 'x');
  await own.until('put /own/a=x');
  expect([client.asked['Auth.Authenticate'], bed.opened]).toEqual([1, ['open']]);
});

test('a wrong password ends each watch, with the word of the server', async () => {
  const etcd = await guarded();
  const bed = etcd.bedOf(etcd.client({ auth: { ...plainAuth, password: 'wrong-password' } }));
  const logs = [bed.watch('/own/a'), bed.watch('/own/b', { initial: true })];
  await eventually(() => logs.every(({ seen }) => seen.error !== undefined));
  for (const { seen } of logs) {
    expect(isAuthenticationError(seen.error)).toBe(true);
    expect(String(seen.error)).not.toContain('wrong-password');
  }
});

test('authentication that is turned on and off: old watches stay, new ones come', async () => {
  const etcd = await guarded();
  await etcd.admin.ask('Auth', 'AuthDisable', {});
  const client = etcd.client();
  const bed = etcd.bedOf(client);
  const logs = [await bed.watch('/own/0').live()];
  await etcd.admin.ask('Auth', 'AuthEnable', {});
  logs.push(await bed.watch('/own/1').live());
  await etcd.admin.ask('Auth', 'AuthDisable', {});
  logs.push(await bed.watch('/own/2').live());
  for (let i = 0; i < 3; i += 1) await put(etcd.admin, `/own/${i}`, 'x');
  for (const [i, log] of logs.entries()) await log.until(`put /own/${i}=x`);
  expect(logs.map(({ seen }) => seen)).toEqual([{}, {}, {}]);
});

test('without name and password a watch is refused, once', async () => {
  const etcd = await guarded();
  const bed = etcd.bedOf(etcd.client({ auth: undefined }));
  const log = bed.watch('/own/a');
  await eventually(() => log.seen.error !== undefined);
  expect(isAuthenticationError(log.seen.error)).toBe(true);
  expect(bed.opened).toHaveLength(1);
});
