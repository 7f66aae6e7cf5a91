import type { MemberInfo } from '../../lib/cluster/member.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { Roster } from '../../lib/cluster/roster.js';
import { tally } from '../../lib/cluster/tally.js';
import { deriveView, sameView, type View } from '../../lib/cluster/view.js';

/** The URL of a member, by its id. */
const urlOf = (id: string) => `http://m${id}:2379`;
const info = (id: string): MemberInfo => ({
  id,
  name: `node${id}`,
  clientURLs: [urlOf(id)],
  peerURLs: [`http://m${id}:2380`],
});
const infos = (...ids: string[]) => ids.map(info);

/** A roster, a clock, and short words for what may happen. */
class World {
  readonly roster: Roster;
  time = 100;

  constructor(
    ids: string[],
    readonly members = infos(...ids),
    discover = true,
    configured = ids.map(urlOf),
  ) {
    this.roster = new Roster(configured, discover);
  }

  /** These members answer a probe, and name this leader (null: none; undefined: they cannot tell). */
  say(ids: string[], leader: string | null | undefined, more: Partial<ProbeAnswer> = {}): this {
    for (const id of ids)
      this.answer(urlOf(id), { id, ...(leader === undefined ? {} : { leader }), ...more });
    return this;
  }

  answer(url: string, answer: ProbeAnswer): this {
    this.time += 1;
    this.roster.probed(url, this.time, { clusterId: 'ours', members: this.members, ...answer });
    return this.count();
  }

  /** A light probe: nothing but the leader. */
  only(ids: string[], leader: string | null): this {
    this.time += 1;
    for (const id of ids) this.roster.probed(urlOf(id), this.time, { leader });
    return this.count();
  }

  /** A connection to these was reset. */
  reset(...ids: string[]): this {
    this.time += 1;
    for (const id of ids) this.roster.failed(urlOf(id), this.time, false);
    return this.count();
  }

  /** These refuse connections, or their probe failed. */
  down(...ids: string[]): this {
    this.time += 1;
    for (const id of ids) this.roster.failed(urlOf(id), this.time, true);
    return this.count();
  }

  after(ms: number): this {
    this.time += ms;
    return this;
  }

  /** What the cluster does after each answer and each failure. */
  private count(): this {
    this.roster.names(tally(this.roster).named, this.time);
    return this;
  }

  get view(): View {
    return deriveView(this.roster, this.time);
  }
}

const summary = (view: View) => ({
  leader: view.members.find((m) => m.isLeader)?.id,
  gate: view.leaderEndpoint,
  quorum: view.hasQuorum,
});
const open = (id: string) => ({ leader: id, gate: urlOf(id), quorum: true });
const shut = (quorum: boolean | undefined) => ({ leader: undefined, gate: undefined, quorum });

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
    world.roster.answered(urlOf('1'), sentAt);
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

describe('members in the state', () => {
  const statuses = (world: World) => world.view.members.map((m) => `${m.id}:${m.status}`).join(' ');

  test('before the cluster is known there is one for each endpoint', () => {
    const world = new World(['1', '2', '3'], []);
    expect(world.view.members.map(String)).toEqual([
      'Member (not identified) (unknown) http://m1:2379',
      'Member (not identified) (unknown) http://m2:2379',
      'Member (not identified) (unknown) http://m3:2379',
    ]);
    world.down('1').reset('2').answer(urlOf('3'), { id: '3' });
    expect(world.view.members.map(String)).toEqual([
      'Member (not identified) (down) http://m1:2379',
      'Member (not identified) (unknown) http://m2:2379',
      'Member 3 (running) http://m3:2379',
    ]);
  });

  test.each<[string, World, string]>([
    ['all run', new World(['1', '2']).say(['1', '2'], '1'), '1:running 2:running'],
    ['one is down', new World(['1', '2']).say(['1', '2'], '1').down('2'), '1:running 2:down'],
    [
      'one was reset: not down yet',
      new World(['1', '2']).say(['1', '2'], '1').reset('2'),
      '1:running 2:running',
    ],
    [
      'a configured one was never reached',
      new World(['1', '2']).say(['1'], '1').down('2'),
      '1:running 2:down',
    ],
    [
      'a found one was never reached',
      new World(['1'], infos('1', '2')).say(['1'], '1').down('2'),
      '1:running 2:unknown',
    ],
    [
      'nobody was asked for it',
      new World(['1'], infos('1', '2'), false).say(['1'], '1'),
      '1:running 2:unknown',
    ],
    [
      'it came back',
      new World(['1', '2']).say(['1', '2'], '1').down('2').only(['2'], '1'),
      '1:running 2:running',
    ],
  ])('%s', (_, world, expected) => {
    expect(statuses(world)).toBe(expected);
  });
});

describe('the rest of a view', () => {
  test('settled once every endpoint was probed, either way', () => {
    const world = new World(['1', '2']);
    expect(world.view.settled).toBe(false);
    expect(world.say(['1'], null).view.settled).toBe(false);
    expect(world.reset('2').view.settled).toBe(false);
    expect(world.down('2').view.settled).toBe(true);
  });

  test('live ones without a leader', () => {
    const world = new World(['1', '2', '3']).say(['1'], null).say(['2'], '2').down('3');
    expect(world.view).toMatchObject({ live: ['1', '2'].map(urlOf), leaderless: [urlOf('1')] });
  });

  test('TLS is to blame only when it fails at every endpoint', () => {
    const world = new World(['1', '2'], []);
    const tls = (id: string) => world.roster.failed(urlOf(id), (world.time += 1), true, `reason ${id}`);
    tls('1');
    expect(world.view.tlsFailure).toBeUndefined();
    tls('2');
    expect(world.view.tlsFailure).toBe('reason 1');
    world.down('2');
    expect(world.view.tlsFailure).toBeUndefined();
    tls('2');
    world.say(['1'], '1');
    expect(world.view.tlsFailure).toBeUndefined();
  });
});

describe('sameView', () => {
  const base = () => new World(['1', '2', '3']).say(['1', '2', '3'], '1');
  test('of the same facts', () => {
    expect(sameView(base().view, base().view)).toBe(true);
    expect(sameView(base().view, base().after(5).only(['1', '2', '3'], '1').view)).toBe(true);
  });

  test.each<[string, World]>([
    ['another leader', base().only(['1', '2', '3'], '2')],
    ['no leader', base().only(['1', '2', '3'], null)],
    ['one without a leader', base().only(['3'], null)],
    ['one reset', base().reset('3')],
    ['one down', base().down('3')],
    [
      'another name',
      new World(['1', '2', '3'], [info('1'), info('2'), { ...info('3'), name: 'x' }]).say(
        ['1', '2', '3'],
        '1',
      ),
    ],
    [
      'another peer URL',
      new World(['1', '2', '3'], [info('1'), info('2'), { ...info('3'), peerURLs: [] }]).say(
        ['1', '2', '3'],
        '1',
      ),
    ],
    ['a member more', new World(['1', '2', '3'], infos('1', '2', '3', '4'), false).say(['1', '2', '3'], '1')],
  ])('not with %s', (_, world) => {
    expect(sameView(base().view, world.view)).toBe(false);
  });

  test('nor with another term', () => {
    const world = base();
    world.roster.sawTerm(5);
    expect(sameView(base().view, world.view)).toBe(false);
  });
});
