/** Failover: calls go on while a majority runs, fail clearly without one, and work again by themselves when it is back. */
import { EtcdClient, type ClusterState } from 'rxetcd';
import { filter, firstValueFrom } from 'rxjs';
import { check, walk } from './stage.js';

walk(async (stage) => {
  const client = new EtcdClient(stage.endpoints, { heartbeat: 500 });
  const states = client.clusterState$.subscribe(); // keeps the heartbeat going
  const until = (is: (state: ClusterState) => boolean) =>
    firstValueFrom(client.clusterState$.pipe(filter(is)));
  const statusesOf = (state: ClusterState) => state.members.map(({ status }) => status);
  /** The statuses when these members are down. */
  const without = (...names: (string | undefined)[]) =>
    client.clusterState$.value.members.map(({ name }) => (names.includes(name) ? 'down' : 'running'));

  const { leader: first } = await until(({ leader }) => leader !== undefined);
  await firstValueFrom(client.set$('/failover', 'still here'));
  console.log(`set /failover, ${first!.name} leads`);

  await stage.kill(first!.name);
  console.log(`killed ${first!.name}`);
  check('get', await firstValueFrom(client.getValue$('/failover')), 'still here');
  const afterFirst = await until(({ leader }) => leader !== undefined && leader.name !== first!.name);
  check('statuses', statusesOf(afterFirst), without(first!.name));

  const second = afterFirst.leader!;
  await stage.kill(second.name);
  console.log(`killed ${second.name}, who led then`);
  await until(({ hasQuorum }) => hasQuorum === false);
  const failure = await firstValueFrom(client.set$('/failover', 'lost', { deadline: 2_000 })).catch(
    (error: unknown) => error as Error,
  );
  check('set', (failure as Error).name, 'AllNodesDownError');
  check('leader', client.clusterState$.value.leader, undefined);
  check('get', await firstValueFrom(client.getValue$('/failover')), 'still here');

  for (const { name } of [first!, second]) await stage.restart(name);
  console.log(`restarted ${first!.name} and ${second.name}`);
  const restored = await until((state) => state.leader !== undefined && !statusesOf(state).includes('down'));
  check('statuses', statusesOf(restored), without());
  check('get', await firstValueFrom(client.getValue$('/failover', { quorum: true })), 'still here');

  states.unsubscribe();
  client.close();
});
