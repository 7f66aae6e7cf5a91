import { ClusterState } from '../../lib/cluster/cluster-state.js';
import { Router } from '../../lib/cluster/router.js';
import { a, b, c, scriptedCluster, sentTo } from './scripted-cluster.js';
import { infos, open, summary, urlOf, World } from './world.js';

/** How a member is that withholds who leads: a majority stands behind it, or not. */
const withholds = (world: World, ids: string[], hasQuorum: boolean): World =>
  world.say(ids, undefined, { hasQuorum, members: undefined });
const all = ['1', '2', '3'];

describe('where members withhold who leads', () => {
  const world = (): World => new World(all, []);

  test('the state says so, has a quorum by their word, and no gate waits', () => {
    const { view } = withholds(world(), all, true);
    expect(view).toMatchObject({ leaderKnown: false, hasQuorum: true, leaderEndpoint: urlOf('1') });
    expect(view.members.map(({ status, isLeader }) => `${status} ${isLeader}`)).toEqual(
      all.map(() => 'running false'),
    );
    expect(withholds(world(), ['2'], true).view.leaderEndpoint).toBe(urlOf('2'));
  });

  test('one without a majority is passed by', () => {
    const { view } = withholds(withholds(world(), ['1'], false), ['2', '3'], true);
    expect(view).toMatchObject({ hasQuorum: true, leaderEndpoint: urlOf('2'), leaderless: [urlOf('1')] });
    const picked = Array.from({ length: 50 }, () => new Router().pick(view));
    expect(picked).not.toContain(urlOf('1'));
  });

  test('nobody has one: what needs a leader waits until somebody does', () => {
    const none = withholds(world().down('3'), ['1', '2'], false);
    expect(none.view).toMatchObject({ leaderKnown: false, hasQuorum: false, leaderEndpoint: undefined });
    expect(withholds(none, ['2'], true).view).toMatchObject({ hasQuorum: true, leaderEndpoint: urlOf('2') });
  });

  test('before all were asked a quorum is not denied', () => {
    expect(withholds(world(), ['1'], false).view.hasQuorum).toBeUndefined();
    expect(withholds(world(), ['1'], true).view.hasQuorum).toBe(true);
  });

  test('the leader is known again once one tells it, as authentication is off', () => {
    const { view } = withholds(world(), all, true).say(all, '2', { members: infos(...all) });
    expect(view.leaderKnown).toBe(true);
    expect(summary(view)).toEqual(open('2'));
  });

  test('it is told by those that do tell, as of another release: the others are not held against it', () => {
    const mixed = new World(all);
    mixed.say(['1'], '2');
    withholds(mixed, ['2', '3'], true);
    expect(mixed.view.leaderKnown).toBe(true);
    expect(summary(mixed.view)).toEqual(open('2'));
    expect(mixed.view.partial).toBeUndefined();
    expect(summary(mixed.only(['1'], null).view)).toEqual({
      leader: undefined,
      gate: urlOf('2'),
      quorum: true,
    });
    expect(mixed.view.leaderKnown).toBe(false);
  });
});

describe('calls where the leader is withheld', () => {
  const world = scriptedCluster();
  const settle = async (...quorums: boolean[]) => {
    [a, b, c].forEach((url, i) => (world.words[url] = { hasQuorum: quorums[i] ?? true }));
    world.cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.state$.value.leaderKnown).toBe(false);
  };

  test.each(['quorum-read', 'once'] as const)('go to members with a majority (%s)', async (retryClass) => {
    await settle(false, true, true);
    const runs = Array.from({ length: 20 }, () => world.run(['ok'], retryClass));
    await jest.advanceTimersByTimeAsync(10);
    expect(runs.every(({ result }) => result !== undefined)).toBe(true);
    expect(runs.flatMap(sentTo)).not.toContain(a);
  });

  test.each(['quorum-read', 'once'] as const)(
    'go to another one where a learner refuses them, at once (%s)',
    async (retryClass) => {
      await settle();
      const run = world.run(['a learner refuses', 'ok'], retryClass);
      await jest.advanceTimersByTimeAsync(15);
      expect(new Set(sentTo(run)).size).toBe(2);
      expect(run.result).toBeDefined();
    },
  );

  test('a read leaves a member that does not get it answered', async () => {
    await settle();
    const run = world.run(['timeout after it was sent', 'ok'], 'quorum-read');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(new Set(sentTo(run)).size).toBe(2);
    expect(run.result).toBeDefined();
  });

  test('wait while nobody has a majority, and go on with who has one', async () => {
    await settle(false, false, false);
    const run = world.run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(500);
    expect(run.sends).toEqual([]);
    world.words[b] = { hasQuorum: true };
    await jest.advanceTimersByTimeAsync(200);
    expect(sentTo(run)).toEqual([b]);
  });
});

test('in all other states the leader is known, or is about to be', () => {
  expect(new World(all).view.leaderKnown).toBe(true);
  expect(new World(all).say(all, null).view.leaderKnown).toBe(true);
  expect(new World(all).say(all, undefined).view.leaderKnown).toBe(true);
  const state = new ClusterState([], undefined, undefined, new Date());
  expect(state.leaderKnown).toBe(true);
  const withheld = new ClusterState([], true, 2, new Date(), false);
  expect(String(withheld)).toBe('ClusterState (quorum, leader not told, term 2) ');
  expect(withheld.equals(new ClusterState([], true, 2, new Date()))).toBe(false);
});
