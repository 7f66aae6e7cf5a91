/**
 * Heartbeating: one process writes, another one watches. The leader is killed in between; both notice by their heartbeat, go on
 * at the next leader, and nothing is lost.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EtcdClient, isOutcomeUnknown } from 'rxetcd';
import {
  EMPTY,
  catchError,
  concatMap,
  filter,
  firstValueFrom,
  fromEvent,
  interval,
  map,
  scan,
  shareReplay,
  takeUntil,
  throwError,
  timeout,
  toArray,
} from 'rxjs';
import { check, walk, type Stage } from './stage.js';

const heartbeat = 500;
const dir = '/beats';

/** The other process: writes until it is told to stop, then tells the indexes of what was acknowledged. */
async function write(endpoints: string[]): Promise<void> {
  process.once('disconnect', () => process.exit());
  const client = new EtcdClient(endpoints, { heartbeat });
  const writes$ = interval(20).pipe(
    // What is being written when the stop comes is still waited for.
    // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
    takeUntil(fromEvent(process, 'message')),
    concatMap((n) =>
      client.set$(`${dir}/${n}`, `beat ${n}`).pipe(
        // Nobody knows whether such a one was done. It may be seen, or not.
        catchError((error: unknown) => {
          if (isOutcomeUnknown(error)) return EMPTY;
          throw error;
        }),
      ),
    ),
    map(({ node }) => node.modifiedIndex),
    toArray(),
  );
  process.send!(await firstValueFrom(writes$));
  client.close();
  process.disconnect();
}

/** This process: watches, starts the other one, and kills the leader in between. */
async function watch(stage: Stage): Promise<void> {
  const client = await firstValueFrom(EtcdClient.connect$(stage.endpoints, { heartbeat }));
  const { node } = await firstValueFrom(client.createDir$(dir));
  const seen$ = client.watch$(dir, { fromIndex: (node.modifiedIndex ?? 0) + 1 }).pipe(
    scan((indexes: number[], { index }) => [...indexes, index], []),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const watching = seen$.subscribe();
  const seen = async (count: number): Promise<number> => {
    const { length } = await firstValueFrom(seen$.pipe(filter((indexes) => indexes.length >= count)));
    console.log(`${length} beats seen`);
    return length;
  };

  const writer = fork(fileURLToPath(import.meta.url), ['writer', ...stage.endpoints]);
  const before = await seen(25);
  const leaders$ = client.leader$().pipe(filter((leader) => leader !== undefined));
  const { name } = await firstValueFrom(leaders$);
  await stage.kill(name);
  console.log(`killed ${name}`);
  const next = await firstValueFrom(leaders$.pipe(filter((leader) => leader.name !== name)));
  console.log(`${next.name} leads`);
  await seen(before + 50);

  writer.send('stop');
  const [acknowledged] = (await once(writer, 'message')) as [number[]];
  console.log(`${acknowledged.length} beats acknowledged`);
  const isSeen = (indexes: number[]) => acknowledged.every((index) => indexes.includes(index));
  const all = await firstValueFrom(
    seen$.pipe(
      filter(isSeen),
      timeout({ first: 10_000, with: () => throwError(() => new Error('beats were lost')) }),
    ),
  );
  check('lost', acknowledged.filter((index) => !all.includes(index)).length, 0);
  check(
    'in order, each once',
    all.every((index, i) => i === 0 || index > all[i - 1]!),
    true,
  );

  watching.unsubscribe();
  client.close();
}

const [, , part, ...endpoints] = process.argv;
if (part === 'writer') await write(endpoints);
else walk(watch);
