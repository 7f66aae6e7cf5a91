/** Observers: a watch tells value, key and where it is from, and goes on when the leader that served it is killed. */
import { EtcdClient } from 'rxetcd';
import { concatMap, filter, firstValueFrom, from, lastValueFrom, take, tap, toArray } from 'rxjs';
import { check, walk } from './stage.js';

walk(async (stage) => {
  const client = await firstValueFrom(EtcdClient.connect$(stage.endpoints, { heartbeat: 500 }));
  const leader$ = client.leader$().pipe(filter((leader) => leader !== undefined));
  const leader = await firstValueFrom(leader$);
  const created = await firstValueFrom(client.createDir$('/observed'));

  const observed$ = client.watch$('/observed', { fromIndex: (created.node.modifiedIndex ?? 0) + 1 }).pipe(
    tap(({ node: { key, value }, index, info }) => {
      console.log(`value ${value}, key ${key}, info: index ${index} from ${info.endpoint}`);
    }),
    take(6),
    toArray(),
  );
  const observed = firstValueFrom(observed$); // subscribes
  const write = (...values: string[]) =>
    lastValueFrom(from(values).pipe(concatMap((value) => client.set$(`/observed/${value}`, value))));

  await write('1', '2', '3');
  await stage.kill(leader.name);
  console.log(`killed ${leader.name}`);
  await firstValueFrom(leader$.pipe(filter(({ name }) => name !== leader.name)));
  await write('4', '5', '6');

  const events = await observed;
  check(
    'values',
    events.map(({ node }) => node.value),
    ['1', '2', '3', '4', '5', '6'],
  );
  const killedUrls = leader.clientURLs;
  check(
    'one of the last three came from the killed one',
    events.slice(3).some(({ info }) => killedUrls.includes(info.endpoint)),
    false,
  );
  client.close();
});
