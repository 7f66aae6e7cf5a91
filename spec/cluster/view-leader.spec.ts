import { info, infos, open, shut, summary, urlOf, World } from './world.js';

describe('three members: who leads', () => {
  const ids = ['1', '2', '3'];
  const fresh = () => new World(ids);

  test.each<[string, World, ReturnType<typeof summary>]>([
    ['nobody was asked', fresh(), shut(undefined)],
    ['one names the leader, which has not answered', fresh().say(['1'], '2'), shut(undefined)],
    ['the leader names itself, alone', fresh().say(['2'], '2'), shut(undefined)],
    ['a majority names a leader that answers', fresh().say(['1', '2'], '2'), open('2')],
    ['all do', fresh().say(ids, '2'), open('2')],
    ['a majority without the leader itself', fresh().say(['1', '3'], '2'), shut(true)],
    ['they are at odds', fresh().say(['1'], '1').say(['2'], '2').say(['3'], '3'), shut(true)],
    ['two to one', fresh().say(['1', '2'], '1').say(['3'], '3'), open('1')],
    ['nobody knows one', fresh().say(ids, null), shut(false)],
    ['one is down, the two name one of them', fresh().down('3').say(['1', '2'], '1'), open('1')],
    [
      'one is down, one of the two knows none',
      fresh().down('3').say(['1'], '1').say(['2'], null),
      shut(false),
    ],
    ['none answers', fresh().down(...ids), shut(false)],
    ['one has not been asked yet and the two know none', fresh().say(['1', '2'], null), shut(undefined)],
  ])('%s', (_, world, expected) => {
    expect(summary(world.view)).toEqual(expected);
  });

  test('a leader that is suspected is none, however loudly the survivors name it', () => {
    const world = fresh().say(ids, '1');
    expect(summary(world.view)).toEqual(open('1'));
    world.reset('1');
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
    // For as long as an election takes both survivors still name the dead one.
    for (let i = 0; i < 200; i++) {
      world.after(30).down('1').only(['2', '3'], '1');
      expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
    }
    world.only(['2'], '2');
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
    world.only(['3'], '2');
    expect(summary(world.view)).toEqual(open('2'));
  });

  test('nor does an answer to a request sent before the failure bring it back', () => {
    const world = fresh().say(ids, '1');
    const sentAt = world.time;
    world.after(10).reset('1');
    world.table.answered(urlOf('1'), sentAt);
    expect(summary(world.view).gate).toBeUndefined();
  });

  test('the leader that comes back leads again if it is still named', () => {
    const world = fresh().say(ids, '1').reset('1').only(['2', '3'], '1');
    world.only(['1'], '1');
    expect(summary(world.view)).toEqual(open('1'));
  });

  test('a leader that comes back and knows itself of none leads nobody, whatever the others still say', () => {
    const world = fresh().say(ids, '1').down('1').only(['2', '3'], '1');
    world.say(['1'], null);
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
  });

  test('a leader that comes back as a follower', () => {
    const world = fresh().say(ids, '1').down('1').only(['2', '3'], '2');
    expect(summary(world.view)).toEqual(open('2'));
    world.say(['1'], '2');
    expect(summary(world.view)).toEqual(open('2'));
  });

  test('a leader cut off from the others that still thinks it leads is outvoted', () => {
    const world = fresh().say(ids, '1').only(['2', '3'], '2');
    expect(summary(world.view)).toEqual(open('2'));
    // Though nobody else can be reached any more, its word alone is not enough.
    expect(summary(world.down('2', '3').view)).toEqual(shut(false));
  });

  test('a member that comes back as another no longer stands for the old one', () => {
    const world = fresh().say(ids, '1');
    world.members.push(info('9'));
    world.down('1').answer(urlOf('1'), { id: '9', leader: '2' });
    expect(world.view.members.find((m) => m.id === '1')?.status).not.toBe('running');
  });
});

describe('five members', () => {
  const ids = ['1', '2', '3', '4', '5'];
  const fresh = () => new World(ids);

  test.each<[string, World, ReturnType<typeof summary>]>([
    ['two of five are too few', fresh().say(['1', '2'], '1'), shut(undefined)],
    ['three of five are enough', fresh().say(['1', '2', '3'], '1'), open('1')],
    ['three to two', fresh().say(['1', '2', '3'], '1').say(['4', '5'], '5'), open('1')],
    ['two, two and one', fresh().say(['1', '2'], '1').say(['3', '4'], '3').say(['5'], null), shut(true)],
    ['two are down', fresh().say(ids, '1').down('4', '5').only(['1', '2', '3'], '1'), open('1')],
    ['three are down', fresh().say(ids, '1').down('3', '4', '5').only(['1', '2'], null), shut(false)],
    ['two survivors still name the leader', fresh().say(ids, '1').down('3', '4', '5'), shut(false)],
  ])('%s', (_, world, expected) => {
    expect(summary(world.view)).toEqual(expected);
  });
});

describe('a leader that a majority names and that was never reached', () => {
  const world = () => new World(['1', '2'], infos('1', '2', '3'));

  test('is believed in once it was named for longer than an election takes', () => {
    const w = world().down('3').say(['1', '2'], '3');
    expect(summary(w.view)).toEqual(shut(true));
    w.after(2_900).only(['1', '2'], '3');
    expect(summary(w.view)).toEqual(shut(true));
    w.after(100).only(['1', '2'], '3');
    expect(summary(w.view)).toMatchObject({ leader: '3', quorum: true });
    expect(w.view.live).toContain(w.view.leaderEndpoint);
    expect(w.view.members.find((m) => m.id === '3')?.status).toBe('unknown');
  });

  test('the wait begins anew with another', () => {
    const w = new World(['1', '2', '3'], infos('1', '2', '3', '4', '5'), false).say(['1', '2', '3'], '4');
    w.after(2_000).only(['1', '2', '3'], '5').after(2_000).only(['1', '2', '3'], '5');
    expect(summary(w.view).gate).toBeUndefined();
    w.after(1_000).only(['1', '2', '3'], '5');
    expect(summary(w.view).leader).toBe('5');
  });

  test('one that was reached before and went away is not the leader, however long; writes may pass after 10 s', () => {
    const w = world().say(['1', '2', '3'], '3').down('3');
    w.after(9_000).only(['1', '2'], '3');
    expect(summary(w.view)).toMatchObject({ leader: undefined, gate: undefined });
    w.after(51_000).only(['1', '2'], '3');
    expect(summary(w.view)).toMatchObject({ leader: undefined });
    expect(w.view.leaderEndpoint).toBe(urlOf('1'));
  });
});

describe('members that cannot tell who leads', () => {
  test('take writes themselves once all were asked', () => {
    const world = new World(['1', '2'], []);
    world.answer(urlOf('1'), {});
    expect(world.view).toMatchObject({ leaderEndpoint: undefined, hasQuorum: undefined });
    world.answer(urlOf('2'), {});
    expect(world.view).toMatchObject({ leaderEndpoint: urlOf('1'), hasQuorum: undefined });
    expect(world.down('1').view.leaderEndpoint).toBe(urlOf('2'));
    expect(world.down('2').view).toMatchObject({ leaderEndpoint: undefined, hasQuorum: false });
  });

  test('are no reason to take a write beside others that can', () => {
    const world = new World(['1', '2', '3']).say(['1'], undefined).say(['2', '3'], null);
    expect(world.view.leaderEndpoint).toBeUndefined();
  });
});
