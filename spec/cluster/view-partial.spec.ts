import { infos, open, shut, summary, urlOf, World } from './world.js';

describe('a client that reaches a minority only trusts it', () => {
  const one = () => new World(['1'], infos('1', '2', '3'), false);

  test('one endpoint, and its member leads', () => {
    const { view } = one().say(['1'], '1');
    expect(summary(view)).toEqual(open('1'));
    expect(view.partial).toBe(1);
    expect(view.members.map((m) => m.status)).toEqual(['running', 'unknown', 'unknown']);
  });

  test('one endpoint, and another leads: it forwards', () => {
    const { view } = one().say(['1'], '2');
    expect(summary(view)).toEqual({ leader: '2', gate: urlOf('1'), quorum: true });
  });

  test.each<[string, World]>([
    ['it knows no leader', one().say(['1'], null)],
    ['it is down', one().say(['1'], '1').down('1')],
    ['it was suspected', one().say(['1'], '2').reset('1')],
  ])('unless %s', (_, world) => {
    expect(summary(world.view)).toEqual(shut(false));
  });

  test('discovered members that were never reached make the view partial once all were tried', () => {
    const world = new World(['1'], infos('1', '2', '3'));
    expect(world.say(['1'], '1').view).toMatchObject({ partial: undefined, leaderEndpoint: undefined });
    expect(world.down('2').view.partial).toBeUndefined();
    expect(world.down('3').view).toMatchObject({ partial: 1, leaderEndpoint: urlOf('1') });
  });

  test('once a majority was reached the view is never partial again', () => {
    const world = new World(['1'], infos('1', '2', '3')).say(['1', '2'], '1').down('3', '2');
    // A member that was never reached is not held against the one that answers.
    expect(world.view).toMatchObject({ partial: undefined, leaderEndpoint: urlOf('1'), hasQuorum: true });
  });

  test('members that were reached and failed count against a majority', () => {
    const world = new World(['1', '2', '3']).say(['1', '2', '3'], '1').down('2', '3');
    expect(world.view).toMatchObject({ leaderEndpoint: undefined, hasQuorum: false });
  });

  test('two of five members that agree are enough where the others were never reached', () => {
    const five = infos('1', '2', '3', '4', '5');
    const some = new World(['1', '2', '3'], five, false).say(['1', '2', '3'], '1').down('3');
    expect(some.view).toMatchObject({ leaderEndpoint: urlOf('1'), hasQuorum: true });
    const all = new World(['1', '2', '3', '4', '5'], five)
      .say(['1', '2', '3', '4', '5'], '1')
      .down('3', '4', '5');
    expect(all.view).toMatchObject({ leaderEndpoint: undefined, hasQuorum: false });
  });

  test('one isolated follower does not keep writes from a leader that was never reached', () => {
    const five = infos('1', '2', '3', '4', '5');
    const world = new World(['1', '2', '3', '4'], five, false).say(['1', '2', '3'], '5').say(['4'], null);
    for (let i = 0; i < 31; i++) world.after(100).only(['1', '2', '3'], '5').only(['4'], null);
    expect(summary(world.view)).toMatchObject({ leader: '5', quorum: true });
  });

  test('a configured leader that refuses connections is not believed in, though it was never reached', () => {
    const world = new World(['1', '2'], infos('1', '2', '3'), false).down('2').say(['1'], '2');
    expect(world.view.partial).toBe(1);
    expect(summary(world.view)).toMatchObject({ leader: undefined, gate: undefined });
    expect(summary(world.after(9_000).only(['1'], '2').view)).toMatchObject({ gate: undefined });
    // Named for longer than any election it lives, if not for this client. Still it is not called the leader.
    const later = world.after(1_100).only(['1'], '2').view;
    expect(later.leaderEndpoint).toBe(urlOf('1'));
    expect(summary(later)).toMatchObject({ leader: undefined });
  });

  test('a single member that is its own cluster is no partial view', () => {
    expect(new World(['1']).say(['1'], '1').view).toMatchObject({
      partial: undefined,
      hasQuorum: true,
      leaderEndpoint: urlOf('1'),
    });
  });
});
