import type { MemberInfo } from '../../lib/cluster/member.js';
import { info, infos, open, summary, urlOf, World } from './world.js';

describe('one member has one vote', () => {
  const twoUrls = (): World => {
    const members: MemberInfo[] = [
      { ...info('1'), clientURLs: [urlOf('1'), 'http://alias:2379'] },
      info('2'),
      info('3'),
    ];
    return new World(['1', '2', '3'], members);
  };

  test('at two URLs too', () => {
    const world = twoUrls().say(['1'], '1').answer('http://alias:2379', { id: '1', leader: '1' });
    expect(world.view.live).toHaveLength(2);
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
    expect(summary(world.say(['2'], '1').view)).toEqual(open('1'));
  });

  test('two URLs of one member do not make a quorum', () => {
    const world = twoUrls()
      .say(['1'], '1')
      .answer('http://alias:2379', { id: '1', leader: '1' })
      .down('2', '3');
    expect(world.view.hasQuorum).toBe(true); // it never reached more, and trusts what it is told
    expect(world.view.partial).toBe(1);
    const known = twoUrls().say(['1', '2', '3'], '1').answer('http://alias:2379', { id: '1', leader: '1' });
    expect(known.down('2', '3').view).toMatchObject({ hasQuorum: false, leaderEndpoint: undefined });
  });

  test('it is running while one of them answers, and leads there', () => {
    const world = twoUrls().say(['1', '2', '3'], '1').answer('http://alias:2379', { id: '1', leader: '1' });
    world.down('1');
    expect(world.view.members[0]).toMatchObject({ id: '1', status: 'running', isLeader: true });
    expect(world.view.leaderEndpoint).toBe('http://alias:2379');
  });

  test('a member that has not said who it is yet does not vote twice', () => {
    // Right after an election /v2/stats/self can be empty: the second URL is not identified.
    const world = new World(['1'], infos('1', '2', '3'), false, [
      urlOf('1'),
      'http://alias:2379',
      urlOf('3'),
    ]);
    world.say(['1'], '1').answer('http://alias:2379', { leader: '1' });
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
  });
});

describe('another cluster among the endpoints', () => {
  test('has no vote, is no candidate, and is never asked', () => {
    const world = new World(['1', '2', '3'], infos('1', '2', '3'), true, ['1', '2', '3', '9'].map(urlOf));
    world
      .say(['1', '2', '3'], '1')
      .answer(urlOf('9'), { id: '9', clusterId: 'theirs', leader: '9', members: infos('9') });
    const { view } = world;
    expect(summary(view)).toEqual(open('1'));
    expect(view.candidates).not.toContain(urlOf('9'));
    expect(view.live).not.toContain(urlOf('9'));
    expect(view.members.map((m) => m.id)).toEqual(['1', '2', '3']);
    expect(view.endpoints).toContain(urlOf('9'));
  });

  test('takes over no vote of ours when ours is down', () => {
    const world = new World(['1'], infos('1'), true, ['1', '2', '9'].map(urlOf));
    world.members.push(info('2'));
    world
      .say(['1', '2'], '1')
      .answer(urlOf('9'), { id: '9', clusterId: 'theirs', leader: '9', members: infos('9') });
    world.reset('1');
    expect(world.view.leaderEndpoint).toBeUndefined();
    expect(world.view.candidates).toEqual(['1', '2'].map(urlOf));
  });
});

describe('discovered endpoints', () => {
  test('one that turns out to be somebody else is neither asked nor counted', () => {
    const world = new World(['1'], infos('1', '2', '3'));
    world.say(['1'], '2').answer(urlOf('2'), { id: '3', leader: '2' });
    expect(world.view.candidates).toEqual([urlOf('1')]);
    expect(world.view.live).toEqual([urlOf('1')]);
    expect(world.view.leaderEndpoint).toBeUndefined();
  });

  test('are candidates once they have answered as who they are', () => {
    const world = new World(['1'], infos('1', '2', '3')).say(['1'], '2');
    expect(world.view.candidates).toEqual([urlOf('1')]);
    world.say(['2'], '2');
    expect(world.view.candidates).toEqual([urlOf('1'), urlOf('2')]);
    expect(summary(world.view)).toEqual(open('2'));
  });

  test('a removed member disappears with its URL and its vote', () => {
    const world = new World(['1'], infos('1', '2', '3')).say(['1', '2', '3'], '3');
    expect(summary(world.view)).toEqual(open('3'));
    world.members.splice(2, 1);
    world.say(['1', '2'], '2');
    expect(world.view.endpoints).toEqual(['1', '2'].map(urlOf));
    expect(world.view.members.map((m) => m.id)).toEqual(['1', '2']);
    expect(summary(world.view)).toEqual(open('2'));
  });

  test('a removed member that is configured has no vote any more', () => {
    const world = new World(['1', '2', '3', '4']).say(['1', '2', '3', '4'], '1');
    // 1 and 4 are removed from the cluster, and go on naming their old leader for a while.
    world.members.splice(3, 1);
    world.members.splice(0, 1);
    world.say(['2', '3'], '2');
    expect(summary(world.view)).toEqual(open('2'));
    world.only(['3'], null);
    expect(world.view.leaderEndpoint).toBeUndefined();
  });
});
