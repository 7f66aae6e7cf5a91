/**
 * Follows who leads the cluster, and which members go down and come back.
 *
 *   npm run example -- leader-monitor [COUNT]
 *
 * ends after COUNT changes of the leader, without it on Ctrl-C.
 */
import { EtcdClient } from 'rxetcd';
import { filter, finalize, map, merge, pairwise, startWith, take, timestamp } from 'rxjs';

const count = Number(process.argv[3] ?? Infinity);
const client = new EtcdClient(process.env['ETCD_ENDPOINTS']?.split(',') ?? 'localhost:2379', {
  heartbeat: 1_000, // finds out sooner than every 5 s, and asks more of the members
});

/** Each change of the leader, with how long the one before led. */
const leaders$ = client.leader$().pipe(
  startWith(undefined), // nobody is known yet
  timestamp(),
  pairwise(),
  filter(([before, now]) => before.value !== now.value),
  map(([before, now]) => {
    const seconds = ((now.timestamp - before.timestamp) / 1_000).toFixed(1);
    return `${before.value?.name ?? 'nobody'} -> ${now.value?.name ?? 'nobody'} after ${seconds} s`;
  }),
  take(count),
  finalize(() => client.close()),
);

/** Completes when the client is closed. */
const members$ = client.events$.pipe(
  filter((event) => 'member' in event),
  map(({ type, member }) => `${member.name} is ${type === 'member-up' ? 'back' : 'down'}`),
);

merge(leaders$, members$).subscribe({
  next: (line) => console.log(line),
  error: (error: unknown) => console.error(String(error)),
});
