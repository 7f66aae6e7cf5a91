import { firstValueFrom, forkJoin, lastValueFrom } from 'rxjs';
import { EtcdClient } from 'rxetcd';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { ScriptRunner } from '../support/programs/run-script.js';

/* What a client leaves behind in its process, at three members. */
let cluster: LocalCluster;
let runner: ScriptRunner;

beforeAll(async () => {
  runner = new ScriptRunner();
  cluster = await firstValueFrom(startLocalCluster());
});
afterEach(async () => {
  for (const member of cluster.members) {
    if (member.state === 'stopped') await firstValueFrom(member.resume$());
    if (member.state === 'down') await firstValueFrom(member.restart$());
  }
  await firstValueFrom(cluster.ready$());
});
afterAll(async () => {
  runner.remove();
  await lastValueFrom(cluster.down$());
});

describe('a process whose subscriptions have ended', () => {
  /** Follows a key until it is told to stop, and never closes its client. */
  const follower = (endpoints: readonly string[], root: string): string => `
    import { EtcdClient } from './index.js';
    import { filter, firstValueFrom, Subscription } from 'rxjs';
    const client = new EtcdClient(${JSON.stringify(endpoints)}, { heartbeat: 300, probeTimeout: 500 });
    const all = new Subscription();
    all.add(client.clusterState$.subscribe());
    all.add(client.leader$().subscribe());
    all.add(client.watch$('${root}/other').subscribe());
    const stop = firstValueFrom(client.events$.pipe(filter((e) => e.type === 'watch-live' && e.key === '${root}/stop')));
    const told = firstValueFrom(client.watch$('${root}/stop'));
    await stop;
    await firstValueFrom(client.set$('${root}/ready', 'yes'));
    const { node } = await told;
    all.unsubscribe();
    console.log('told ' + node.value);
  `;

  it.each([
    ['in peace', () => Promise.resolve()],
    ['after its leader was killed', () => firstValueFrom(cluster.kill$('leader'))],
    ['after its leader froze', () => firstValueFrom(cluster.stop$('leader'))],
  ])('ends by itself %s', async (name, act) => {
    const root = `/process/${name.replaceAll(' ', '-')}`;
    const client = new EtcdClient(cluster.endpoints, { heartbeat: 300, probeTimeout: 500 });
    const ended = runner.run(follower(cluster.endpoints, root), { limit: 30_000 });
    await eventually(() => firstValueFrom(client.exists$(`${root}/ready`, { quorum: true })), {
      within: 20_000,
    });
    await act();
    await firstValueFrom(cluster.leader$());
    await eventually(() => firstValueFrom(client.set$(`${root}/stop`, 'to stop', { timeout: 1_500 })));
    client.close();
    expect(await ended).toEqual({ exitCode: 0, stdout: 'told to stop\n', stderr: '' });
  });

  it('ends by itself while no member answers', async () => {
    const script = `
      import { EtcdClient } from './index.js';
      import { filter, firstValueFrom } from 'rxjs';
      const client = new EtcdClient(${JSON.stringify(cluster.endpoints)}, { heartbeat: 200, probeTimeout: 300 });
      const lost = firstValueFrom(client.clusterState$.pipe(filter((state) => state.hasQuorum === false)));
      const watch = client.watch$('/a').subscribe();
      await lost;
      watch.unsubscribe();
      console.log('unsubscribed');
    `;
    await lastValueFrom(forkJoin(cluster.members.map((member) => member.stop$())));
    await expect(runner.run(script, { limit: 20_000 })).resolves.toEqual({
      exitCode: 0,
      stdout: 'unsubscribed\n',
      stderr: '',
    });
  });
});
