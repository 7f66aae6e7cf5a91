import { ChangeReporter } from '../../lib/cluster/change-reporter.js';
import { ClusterState } from '../../lib/cluster/cluster-state.js';
import { Member, type MemberStatus } from '../../lib/cluster/member.js';
import { EventBus } from '../../lib/insight/events.js';

const start = Date.now();
const member = (id: string, status: MemberStatus, isLeader = false, name = `n${id}`): Member =>
  new Member({ id, name, clientURLs: [`http://${id}:2379`], peerURLs: [] }, status, isLeader);
const state = (seconds: number, ...members: Member[]): ClusterState =>
  new ClusterState(members, true, 1, new Date(start + 1_000 * seconds));

/** What is told of one state after the other: the event, who, and the seconds that it held before. */
function told(...states: ClusterState[]): unknown[] {
  const events = new EventBus();
  const seen: unknown[] = [];
  events.events$.subscribe((event) => {
    if (event.type === 'member-down' || event.type === 'member-up')
      seen.push([event.type, event.member.name, event.durationMs / 1_000]);
    if (event.type === 'leader-change') seen.push([event.type, event.leader?.name]);
    if (event.type === 'cluster-down')
      seen.push([event.type, event.members, (event.since.getTime() - start) / 1_000]);
    if (event.type === 'cluster-up') seen.push([event.type, event.durationMs / 1_000]);
  });
  const reporter = new ChangeReporter(events);
  states.slice(1).forEach((after, i) => {
    reporter.report(states[i]!, after);
  });
  return seen;
}

test('a member was up, or down, for as long as that held, whatever else changed meanwhile', () => {
  const seen = told(
    state(0, member('1', 'running', true), member('2', 'running')),
    state(5, member('1', 'running', true), member('2', 'down')),
    state(7, member('1', 'running'), member('2', 'down')),
    state(8, member('1', 'running', true), member('2', 'down')),
    state(15, member('1', 'running', true), member('2', 'running')),
    state(16, member('1', 'running', true), member('2', 'down')),
  );
  expect(seen).toEqual([
    ['member-down', 'n2', 5],
    ['leader-change', undefined],
    ['leader-change', 'n1'],
    ['member-up', 'n2', 10],
    ['member-down', 'n2', 1],
  ]);
});

test('a member that was not known before has no time to tell; one without a name is called by its URL', () => {
  const seen = told(
    state(0, member('1', 'running')),
    state(5, member('1', 'running'), member('2', 'down', false, '')),
  );
  expect(seen).toEqual([['member-down', 'http://2:2379', 0]]);
});

test('that no member can be reached is told once, and once that one of them can', () => {
  const seen = told(
    state(0, member('1', 'running'), member('2', 'running')),
    state(5, member('1', 'down'), member('2', 'running')),
    state(7, member('1', 'down'), member('2', 'down')),
    // Whatever else changes.
    state(8, member('1', 'down'), member('2', 'down'), member('3', 'down')),
    state(9, member('1', 'down'), member('2', 'unknown')),
    state(10, member('1', 'down'), member('2', 'down')),
    state(20, member('1', 'running'), member('2', 'down')),
    state(30, member('1', 'running'), member('2', 'running')),
  ) as unknown[][];
  expect(seen.filter(([type]) => String(type).startsWith('cluster-'))).toEqual([
    ['cluster-down', 2, 7],
    ['cluster-up', 13],
  ]);
});

test('nothing is said of a cluster of which nothing is known yet, but of one that was never there', () => {
  const clusters = (...states: ClusterState[]) =>
    (told(...states) as unknown[][]).filter(([type]) => String(type).startsWith('cluster-'));
  const unknown = state(0, member('', 'unknown'));
  expect(clusters(unknown, state(1, member('', 'unknown')), state(2))).toEqual([]);
  expect(clusters(unknown, state(1, member('', 'down')))).toEqual([['cluster-down', 1, 1]]);
});
