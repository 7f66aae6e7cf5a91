import { Subscription } from 'rxjs';
import type { MemberInfo } from '../../lib/cluster/member.js';
import { Router } from '../../lib/cluster/router.js';
import { scriptedCluster, sentTo, type Run } from './scripted-cluster.js';
import { info, infos, open, shut, summary, urlOf, World } from './world.js';

const learner = (id: string): MemberInfo => ({ ...info(id), isLearner: true });

describe('a learner', () => {
  const three = (): World => new World(['1', '2', '3', '4'], [...infos('1', '2', '3'), learner('4')]);
  const all = ['1', '2', '3', '4'];

  test('is shown and probed, and is no candidate', () => {
    const { view } = three().say(all, '1');
    expect(view.members.map(({ id, status, isLearner }) => [id, status, isLearner])).toEqual([
      ['1', 'running', undefined],
      ['2', 'running', undefined],
      ['3', 'running', undefined],
      ['4', 'running', true],
    ]);
    expect(String(view.members[3])).toBe('Member node4 (learner, running) http://m4:2379');
    expect(view.endpoints).toContain(urlOf('4'));
    expect(view.candidates).toEqual(['1', '2', '3'].map(urlOf));
    expect(view.live).toEqual(['1', '2', '3'].map(urlOf));
    expect(three().say(['1'], '1').down('4').view.candidates).toEqual(['1', '2', '3'].map(urlOf));
  });

  test('counts in no majority: two of three stand, one and the learner do not', () => {
    const world = three().say(all, '1').down('3');
    expect(summary(world.view)).toEqual(open('1'));
    world.down('2');
    expect(summary(world.view)).toEqual(shut(false));
    expect(summary(three().say(['1', '4'], '1').reset('2', '3').view).gate).toBeUndefined();
  });

  test('has no vote: what it says of the leader changes nothing', () => {
    expect(summary(three().say(['1', '2', '3'], '1').say(['4'], '2').view)).toEqual(open('1'));
    expect(summary(three().say(['1', '2', '3'], '1').say(['4'], null).view)).toEqual(open('1'));
  });

  test('down or silent says nothing of the cluster', () => {
    const { view } = three().say(['1', '2', '3'], '1').down('4');
    expect(summary(view)).toEqual(open('1'));
    expect(view.members[3]).toMatchObject({ status: 'down', isLearner: true });
  });

  test('does not make a client that reaches no majority believe that it does', () => {
    const members = [...infos('1', '2', '3'), learner('4'), learner('5')];
    const world = new World(['1', '4', '5'], members, false).say(['1', '4', '5'], '2');
    expect(world.view.partial).toBe(1);
  });

  test('takes no leader over: none is reached through it', () => {
    const world = new World(['4'], [...infos('1'), learner('4')], false).say(['4'], '1', { isLearner: true });
    expect(world.after(20_000).view.leaderEndpoint).toBeUndefined();
  });

  test('is one by its own word before the members are known, and is asked for nothing', () => {
    const world = new World(['1', '4'], []).say(['4'], '1', { isLearner: true, members: undefined });
    expect(world.view.candidates).toEqual([urlOf('1')]);
    expect(world.view.live).toEqual([]);
    expect(world.view.hasQuorum).toBeUndefined();
  });

  test('is a voter by the next member list, and is asked once it says so itself', () => {
    const world = three().say(all, '1', { isLearner: undefined }).say(['4'], '1', { isLearner: true });
    world.members[3] = info('4');
    world.say(['1', '2', '3'], '1');
    expect(world.view.members[3]?.isLearner).toBeUndefined();
    expect(world.view.candidates).not.toContain(urlOf('4'));
    // Of four it takes three.
    expect(summary(world.down('2').view)).toEqual(open('1'));
    expect(world.down('3').view.hasQuorum).toBe(false);
    world.say(['4'], '1');
    expect(world.view.candidates).toContain(urlOf('4'));
  });

  test('that says what the list does not know yet asks for another list', () => {
    const world = three().say(all, '1');
    const says = (isLearner: boolean) =>
      world.table.probed(urlOf('4'), (world.time += 1), {
        id: '4',
        clusterId: 'ours',
        leader: '1',
        isLearner,
      });
    expect([says(true), says(false), says(false), says(true)]).toEqual([false, true, false, false]);
  });

  test('is picked by no router', () => {
    const { view } = three().say(all, '1');
    const picked = Array.from({ length: 50 }, () => new Router().pick(view));
    expect(picked).not.toContain(urlOf('4'));
  });
});

test('a voter that has not started has no name and no URLs, counts in the majority, and is unknown', () => {
  const added: MemberInfo = { id: '4', name: '', clientURLs: [], peerURLs: ['http://m4:2380'] };
  const world = new World(['1', '2', '3'], [...infos('1', '2', '3'), added]).say(['1', '2', '3'], '1');
  expect(world.view.members[0]).toMatchObject({ id: '4', name: '', status: 'unknown' });
  expect(summary(world.view)).toEqual(open('1'));
  expect(summary(world.down('3').view)).toEqual(open('1'));
  expect(world.down('2').view.hasQuorum).toBe(false);
});

describe('a call that a learner refuses', () => {
  const world = scriptedCluster();
  test.each(['read', 'leader-read'] as const)('goes to another member at once (%s)', async (retryClass) => {
    await world.settled();
    const run = world.run(['a learner refuses', 'ok'], retryClass);
    await jest.advanceTimersByTimeAsync(20);
    const [first, second] = run.sends;
    expect(run.result).toBe(`answer of ${second!.endpoint}`);
    expect(second!.endpoint).not.toBe(first!.endpoint);
    expect(second!.at - first!.at).toBeLessThan(10);
  });

  test('of itself alone is refused for good', async () => {
    await world.settled();
    const seen: Run = { sends: [], subscription: Subscription.EMPTY };
    world.observe({ ...world.specOf(['a learner refuses'], 'once', {}, seen), at: 'http://a:2379' }, seen);
    await jest.advanceTimersByTimeAsync(20);
    expect(seen.error).toMatchObject({
      message: expect.stringMatching(/^unexpected a learner refuses/) as unknown,
    });
    expect(seen.sends).toHaveLength(1);
  });

  test('has it asked anew who it is', async () => {
    await world.settled();
    const before = world.probes.length;
    const run = world.run(['a learner refuses', 'ok'], 'read');
    await jest.advanceTimersByTimeAsync(20);
    expect(sentTo(run)).toHaveLength(2);
    expect(world.probes.length).toBeGreaterThan(before);
  });

  test('though nobody else is there ends in that refusal', async () => {
    world.setUp({ endpoints: ['http://a:2379'] });
    await world.settled();
    const run = world.run(['a learner refuses'], 'read', { retry: { max: 5 } });
    await jest.advanceTimersByTimeAsync(10_000);
    expect(run.error).toMatchObject({
      message: expect.stringMatching(/^unexpected a learner refuses/) as unknown,
    });
    expect(run.sends).toHaveLength(6);
  });
});
