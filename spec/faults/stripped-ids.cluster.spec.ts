import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { cleanUp } from '../support/jest/clean-up.js';
import { startHeaderStripper } from '../support/proxies/header-stripper.js';

/*
 * A front that passes no header of etcd's: which cluster its member is of cannot be told, nor whether those that it
 * advertises are of the same.
 */
const undos: (() => unknown)[] = [];
let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await firstValueFrom(startLocalCluster());
});
afterEach(() => cleanUp(undos));
afterAll(() => lastValueFrom(cluster.down$()));

async function front(memberUrl: string): Promise<string> {
  const stripper = await firstValueFrom(startHeaderStripper(memberUrl));
  undos.push(() => lastValueFrom(stripper.close$()));
  return stripper.url;
}

describe.each<[string, object]>([
  ['without credentials', {}],
  ['with credentials', { auth: { username: 'root', password: 'secret' } }],
])('%s', (_, options) => {
  it.each(['a follower', 'the leader'])('a client writes at once through a front of %s', async (which) => {
    const leader = await firstValueFrom(cluster.leader$());
    const member = which === 'the leader' ? leader : cluster.members.find((each) => each !== leader)!;
    const client = new EtcdClient(await front(member.clientUrl), options);
    undos.push(() => client.close());
    const begun = performance.now();
    const { info } = await firstValueFrom(client.set$('/k', 'v'));
    expect(info.endpoint).toBe(client.endpoints[0]);
    // One that could be asked itself would be waited for much longer.
    expect(performance.now() - begun).toBeLessThan(2_500);
  });
});
