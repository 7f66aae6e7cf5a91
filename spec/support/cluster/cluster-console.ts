import {
  catchError,
  concat,
  defer,
  forkJoin,
  map,
  of,
  switchMap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs';
import { namedLeader$ } from './named-leader.js';
import type { TestCluster, TestMember } from './test-cluster.js';

/** Longest wait in ms for a leader, when one is asked for. */
const leaderLimit = 5_000;

export const help = `
  status                    every member: its state, its URL, and whom it takes for the leader
  kill      [member ...]    SIGKILL
  stop      [member ...]    SIGSTOP: connections stay open, nothing is answered
  resume    [member ...]    SIGCONT
  restart   [member ...]    starts it on its data, after a SIGKILL if it runs
  partition [member ...]    cuts it off from the other members; clients still reach it
  heal      [member ...]    ends its partition
  down                      ends all and removes their data (so do Ctrl-C and the end of the input)
  help                      this

A member is 1, 2 or 3, a name as etcd2, leader, follower, or all. Without one, kill, stop and partition take the leader,
and resume, restart and heal every member that needs it.`;

/** What a command does to a member, and what is then said of it. */
interface Deed {
  done: string;
  /** Whom it takes if nobody is named: the leader, or every member of which this is true. */
  needs?: (member: TestMember) => boolean;
  act$: (member: TestMember) => Observable<void>;
}

const deeds: Record<string, Deed> = {
  kill: { done: 'killed', act$: (member) => member.kill$() },
  stop: { done: 'stopped', act$: (member) => member.stop$() },
  resume: {
    done: 'resumed',
    needs: ({ state }) => state === 'stopped',
    act$: (member) => member.resume$(),
  },
  restart: {
    done: 'restarted',
    needs: ({ state }) => state === 'down',
    act$: (member) => member.restart$(),
  },
  partition: { done: 'cut off', act$: (member) => member.partition$() },
  heal: { done: 'healed', needs: ({ partitioned }) => partitioned, act$: (member) => member.heal$() },
};

/** Does what one line says and emits what there is to say about it; whatever goes wrong is said too, and is no error. */
export function perform$(cluster: TestCluster, line: string): Observable<string> {
  return defer(() => {
    const [verb = '', ...names] = line.trim().toLowerCase().split(/\s+/);
    const deed = deeds[verb];
    if (deed !== undefined) return perform(cluster, verb, deed, names);
    if (verb === 'status') return status$(cluster);
    if (verb === 'help') return of(help);
    const known = ['status', ...Object.keys(deeds), 'down', 'help'].join(' | ');
    return of(verb === '' ? '' : `unknown: ${verb}. There is: ${known}`);
  }).pipe(catchError((error: Error) => of(error.message)));
}

/** One line for each member. */
export function status$({ members }: TestCluster): Observable<string> {
  const lines = members.map((member) =>
    (member.state === 'running' ? namedLeader$(member.clientUrl, member.tls) : of(undefined)).pipe(
      map((leader) => {
        const state = `${member.state}${member.partitioned ? ', cut off' : ''}`;
        const view =
          member.state !== 'running'
            ? ''
            : leader === member.name
              ? 'leads'
              : `follows ${leader ?? 'nobody'}`;
        return `${member.name}  ${state.padEnd(16)}  ${member.clientUrl}  ${view}`.trimEnd();
      }),
    ),
  );
  return forkJoin(lines).pipe(map((all) => all.join('\n')));
}

function perform(cluster: TestCluster, verb: string, deed: Deed, names: string[]): Observable<string> {
  const chosen$ = names.length > 0 ? named$(cluster, names) : unnamed$(cluster, verb, deed);
  return chosen$.pipe(
    switchMap((members) =>
      concat(...members.map((member) => deed.act$(member).pipe(map(() => `${member.name} ${deed.done}`)))),
    ),
  );
}

function unnamed$(cluster: TestCluster, verb: string, { needs }: Deed): Observable<TestMember[]> {
  if (needs === undefined) return named$(cluster, ['leader']);
  const members = cluster.members.filter(needs);
  if (members.length === 0) throw new Error(`no member needs it; name one to ${verb} it all the same`);
  return of(members);
}

function named$(cluster: TestCluster, names: string[]): Observable<TestMember[]> {
  return forkJoin(names.map((name) => find$(cluster, name))).pipe(map((found) => [...new Set(found.flat())]));
}

function find$(cluster: TestCluster, name: string): Observable<readonly TestMember[]> {
  const { members } = cluster;
  if (name === 'all') return of(members);
  if (name === 'leader' || name === 'follower')
    return cluster.member$(name).pipe(
      map((member) => [member]),
      timeout({ first: leaderLimit, with: () => throwError(() => new Error('nobody leads now')) }),
    );
  const member = members.find((one) => one.name === name || String(one.index + 1) === name);
  if (member === undefined)
    throw new Error(`no member ${name}: there are ${members.map((m) => m.name).join(', ')}`);
  return of([member]);
}
