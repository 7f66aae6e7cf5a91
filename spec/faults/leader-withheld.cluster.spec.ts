import { firstValueFrom, lastValueFrom } from 'rxjs';
import { isAllNodesDown, isOutcomeUnknown } from '../../lib/errors.js';
import { KeysApi } from '../../lib/v3/api/keys.js';
import { KvCalls } from '../../lib/v3/api/kv-calls.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { v3Client, type V3UnderTest } from '../support/etcd/v3-under-test.js';
import { eventually } from '../support/jest/eventually.js';
import { rejectionOf } from '../support/jest/rejection.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { startEtcdFront, type EtcdFront } from '../support/v3/etcd-front.js';
import { gatewayCall } from '../support/v3/watch-bed.js';

/*
 * With authentication on, etcd 3.5.28 to 3.5.31 and 3.6.9 to 3.6.11 refuse their status to a plain user, and to who has no
 * token their member list, too. Fronts answer so before members of another release; those of Debian's sid do so themselves.
 */

let cluster: LocalCluster;
let fronts: EtcdFront[];
let client: V3UnderTest;
let keys: KeysApi;
const state = () => client.cluster.state$.value;

async function enableAuth(url: string): Promise<void> {
  const ask = (path: string, body: object) => gatewayCall(url, `auth/${path}`, body);
  for (const name of ['root', 'plain']) {
    await ask('user/add', { name, password: 'secret' });
    await ask('role/add', { name });
    await ask('user/grant', { user: name, role: name });
  }
  const key = Buffer.from('/own/').toString('base64');
  const rangeEnd = Buffer.from('/own0').toString('base64');
  await ask('role/grant', { name: 'plain', perm: { permType: 'READWRITE', key, range_end: rangeEnd } });
  await ask('enable', {});
}

const refusal = (code: number, status: number, text: string) => ({
  status,
  body: { error: text, message: text, code },
});

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster({ partitions: true }));
  await enableAuth(cluster.endpoints[0]!);
  fronts = await Promise.all(
    cluster.endpoints.map(async (url) => {
      const front = await startEtcdFront(url);
      front.handle = async ({ path, headers }, pass) => {
        const real = await pass().catch((): ScriptedAction => ({ reset: true }));
        const isPlain = headers.authorization !== undefined;
        const isOpen = path !== '/v3/maintenance/status' && (path !== '/v3/cluster/member/list' || isPlain);
        // Where a release refuses it, that is what is to be understood.
        if (isOpen || !('status' in real) || real.status !== 200) return real;
        return isPlain
          ? refusal(7, 403, 'etcdserver: permission denied')
          : refusal(3, 400, 'etcdserver: user name is empty');
      };
      return front;
    }),
  );
  client = v3Client({
    endpoints: fronts.map(({ url }) => url),
    auth: { username: 'plain', password: 'secret' },
    heartbeat: 200,
    probeTimeout: 500,
    timeout: 3_000,
    deadline: 20_000,
  });
  client.cluster.state$.subscribe();
  keys = new KeysApi(new KvCalls(client));
});
beforeEach(() => eventually(() => state().hasQuorum === true));
afterAll(async () => {
  client.core.close();
  await Promise.all(fronts.map((front) => front.close()));
  await lastValueFrom(cluster.down$());
});

test('members are alive, the leader stays unknown and the state says why, and there is a quorum', async () => {
  await firstValueFrom(client.core.refreshCluster$());
  expect(state()).toMatchObject({ leaderKnown: false, hasQuorum: true });
  expect(state().leader).toBeUndefined();
  expect(state().members.map(({ status }) => status)).toEqual(['running', 'running', 'running']);
  // Each by its own id, which an empty transaction tells everybody.
  expect(new Set(state().members.map(({ id }) => id)).size).toBe(3);
  const { info } = await firstValueFrom(keys.put$('/own/a', '1'));
  expect(state().members.map(({ id }) => id)).toContain(info.memberId);
  expect((await firstValueFrom(keys.get$('/own/a'))).kv?.value).toBe('1');
});

test('a member that is cut off is passed by', async () => {
  const alone = await firstValueFrom(cluster.partition$('leader'));
  const url = fronts[alone.index]!.url;
  await eventually(() => client.cluster.view.leaderless.includes(url));
  for (let i = 0; i < 20; i += 1) {
    await firstValueFrom(keys.put$('/own/b', String(i)));
    const { kv, info } = await firstValueFrom(keys.get$('/own/b'));
    expect([kv?.value, info.endpoint === url]).toEqual([String(i), false]);
  }
  expect(state()).toMatchObject({ leaderKnown: false, hasQuorum: true });
  await firstValueFrom(cluster.heal$(alone.index));
  await eventually(() => client.cluster.view.leaderless.length === 0);
});

test('an election: each write is acknowledged, or its outcome said to be unknown', async () => {
  const results: (string | undefined)[] = [];
  const ends = (async () => {
    for (let i = 0; i < 40; i += 1) {
      const error: unknown = await firstValueFrom(keys.put$('/own/c', String(i))).then(
        () => undefined,
        (e: unknown) => e,
      );
      results.push(
        error === undefined ? 'done' : isOutcomeUnknown(error) ? 'unknown' : (error as Error).message,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const killed = await firstValueFrom(cluster.kill$('leader'));
  await ends;
  expect(results.filter((result) => result !== 'done' && result !== 'unknown')).toEqual([]);
  expect(results.at(-1)).toBe('done');
  expect(results.filter((result) => result === 'unknown').length).toBeLessThan(5);
  await lastValueFrom(cluster.restart$(killed.index));
  await firstValueFrom(cluster.ready$());
});

test('without a majority there is none by their own word; what waits is done once there is one', async () => {
  const [, ...others] = cluster.members;
  for (const member of others) await firstValueFrom(member.stop$());
  await eventually(() => state().hasQuorum === false);
  expect(state().leaderKnown).toBe(false);
  const refused = await rejectionOf(keys.put$('/own/d', '1', { deadline: 300 }));
  expect(isAllNodesDown(refused)).toBe(true);
  const waiting = firstValueFrom(keys.put$('/own/d', '2'));
  for (const member of others) await firstValueFrom(member.resume$());
  await waiting;
  await eventually(() => state().hasQuorum === true);
  const { kv } = await firstValueFrom(keys.get$('/own/d'));
  expect([kv?.value, kv?.version]).toEqual(['2', 1]);
});
