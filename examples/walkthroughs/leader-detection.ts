/** Leader detection: the client knows who leads, and learns who leads next when the leader is killed. */
import { EtcdClient } from 'rxetcd';
import { filter, firstValueFrom } from 'rxjs';
import { check, walk } from './stage.js';

walk(async (stage) => {
  const client = new EtcdClient(stage.endpoints, { heartbeat: 500 });
  const leaders = client.leader$().subscribe((leader) => {
    console.log(leader === undefined ? 'nobody leads' : `${leader.name} leads`);
  });
  const nextLeader = async (after?: string) => {
    const next$ = client.leader$().pipe(filter((leader) => leader !== undefined && leader.name !== after));
    return (await firstValueFrom(next$))!;
  };

  const first = await nextLeader();
  await stage.kill(first.name);
  console.log(`killed ${first.name}`);
  const second = await nextLeader(first.name);
  check('another one leads', second.name !== first.name, true);

  await stage.restart(first.name);
  console.log(`restarted ${first.name}`);
  const allRun$ = client.clusterState$.pipe(
    filter(({ members }) => members.every(({ status }) => status === 'running')),
  );
  const { leader } = await firstValueFrom(allRun$);
  check('who was killed does not lead again', leader?.name, second.name);

  leaders.unsubscribe();
  client.close();
});
