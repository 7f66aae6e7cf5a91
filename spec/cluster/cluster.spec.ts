import { Member } from '../../lib/cluster/member.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { a, b, c, info, refused, says, three, threeMembers, urls } from '../faults/three-members.js';

const world = threeMembers();
const { setUp, settle } = world;

const memberOf = (id: string): Member => {
  const found = world.cluster.view.members.find((m) => m.id === id);
  if (found === undefined) throw new Error(`no member ${id}`);
  return found;
};

describe('the release at an endpoint', () => {
  test('is known once a full probe has told', async () => {
    expect(world.cluster.version(a)).toBeUndefined();
    world.words[b] = says('B', { version: '3.5.16' });
    await settle();
    expect([a, b, c, 'http://elsewhere'].map((url) => world.cluster.version(url))).toEqual([
      '3.4.23',
      '3.5.16',
      '3.4.23',
      undefined,
    ]);
  });

  test('is kept by a probe that does not ask, and follows an upgrade', async () => {
    await settle();
    world.cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(world.probes.at(-1)).toMatchObject({ url: b, full: false });
    expect(world.cluster.version(b)).toBe('3.4.23');
    world.words[b] = says('B', { version: '3.5.16' });
    world.cluster.refresh$().subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.version(b)).toBe('3.5.16');
  });

  test('is asked again of one that comes back: it may have been upgraded', async () => {
    await settle();
    world.words[b] = refused;
    world.cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(300);
    world.words[b] = says('B', { version: '3.5.16' });
    world.cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(world.cluster.version(b)).toBe('3.5.16');
  });

  test('is not known of one that never told', async () => {
    const { version: _, ...mute } = says('B');
    world.words[b] = mute;
    await settle();
    expect(world.cluster.version(b)).toBeUndefined();
  });
});

describe('where a member can be asked', () => {
  test('before the members are known: each endpoint stands for one', () => {
    expect(world.cluster.view.members.map((m) => world.cluster.endpointOf(m))).toEqual(urls);
  });

  test('at the endpoint where it answers, though it advertises another', async () => {
    const members = [info('A', 'http://10.0.0.1:2379'), info('B', 'http://10.0.0.2:2379'), info('C')];
    world.words = { [a]: says('A', { members }), [b]: says('B', { members }), [c]: says('C', { members }) };
    await settle();
    expect(['A', 'B', 'C'].map((id) => world.cluster.endpointOf(memberOf(id)))).toEqual(urls);
  });

  test('found in the cluster: at what it advertises, dead or alive', async () => {
    setUp({ endpoints: [a] });
    world.words[c] = refused;
    await settle();
    expect(['A', 'B', 'C'].map((id) => world.cluster.endpointOf(memberOf(id)))).toEqual(urls);
  });

  test('of several endpoints at one that lives', async () => {
    const members = [info('A', a, b), info('C', c)];
    world.words = { [a]: says('A', { members }), [b]: says('A', { members }), [c]: says('C', { members }) };
    await settle();
    expect(world.cluster.endpointOf(memberOf('A'))).toBe(a);
    world.cluster.blame(a, refused);
    expect(world.cluster.endpointOf(memberOf('A'))).toBe(b);
    world.cluster.blame(b, refused);
    expect(world.cluster.endpointOf(memberOf('A'))).toBe(a);
  });

  test('nowhere, where the client knows no endpoint of it', async () => {
    setUp({ endpoints: [a], discover: false });
    await settle();
    expect(['A', 'B', 'C'].map((id) => world.cluster.endpointOf(memberOf(id)))).toEqual([
      a,
      undefined,
      undefined,
    ]);
  });

  test('not where another member answers at its URL', async () => {
    const members = [info('A', a), info('B', c), info('C', c)];
    world.words = { [a]: says('A', { members }), [b]: refused, [c]: says('C', { members }) };
    await settle();
    expect(['A', 'B', 'C'].map((id) => world.cluster.endpointOf(memberOf(id)))).toEqual([a, undefined, c]);
  });

  test('nowhere, when it is no member any more', async () => {
    await settle();
    const gone = new Member(info('D', 'http://d:2379'), 'unknown', false);
    expect(world.cluster.endpointOf(gone)).toBeUndefined();
  });
});

describe('a redirect', () => {
  test.each<[string, string]>([
    ['to itself', b],
    ['to nobody of this cluster', 'http://evil:2379'],
    ['to a member under another name', 'http://a.example:2379'],
    ['to a member over another protocol', a.replace('http', 'https')],
    ['to nowhere', ''],
  ])('%s may not be followed, and teaches nothing', async (_, to) => {
    await settle();
    const before = world.cluster.view;
    world.probes = [];
    expect(world.cluster.redirected(b, to)).toBe(false);
    expect(world.cluster.view).toBe(before);
    await jest.advanceTimersByTimeAsync(50);
    expect(world.probes).toEqual([]);
  });

  test('to an endpoint that belongs to another cluster may not be followed', async () => {
    world.words[c] = says('Z', { clusterId: 'foreign', members: [info('Z', c)] });
    await settle();
    expect(world.cluster.redirected(b, c)).toBe(false);
  });

  test('to a found URL may be followed once its member has said who it is', async () => {
    setUp({ endpoints: [a] });
    world.words[b] = 'silence';
    world.cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.endpoints).toEqual(urls);
    expect([world.cluster.redirected(a, b), world.cluster.redirected(a, c)]).toEqual([false, true]);
  });

  test('to a member may be followed; it is taken for the word of who sent it, and all are asked', async () => {
    await settle();
    expect(world.cluster.view.leaderEndpoint).toBe(a);
    world.probes = [];
    for (const [url, id] of [
      [a, 'A'],
      [b, 'B'],
      [c, 'C'],
    ] as const)
      world.words[url] = says(id, { leader: 'B' });
    expect(world.cluster.redirected(a, b)).toBe(true);
    // The leader itself has said that it leads no more.
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
    await jest.advanceTimersByTimeAsync(50);
    expect(world.cluster.view.leaderEndpoint).toBe(b);
    for (const url of urls) expect(world.probes).toContainEqual(expect.objectContaining({ url, full: true }));
  });

  test('is believed at once, where that makes a majority', async () => {
    world.words[a] = refused;
    world.words[b] = says('B', { leader: null });
    world.words[c] = says('C', { leader: 'C' });
    await settle();
    expect(world.cluster.view.leaderEndpoint).toBeUndefined();
    expect(world.cluster.redirected(b, c)).toBe(true);
    expect(world.cluster.view.leaderEndpoint).toBe(c);
  });
});

describe('the endpoint of the leader', () => {
  test('is that of the member itself, not of one that forwards, and only since its term began', async () => {
    await settle();
    expect(urls.map((url) => world.cluster.leads(url, undefined))).toEqual([true, false, false]);
    world.cluster.sawTerm(7, a);
    expect([
      world.cluster.leads(a, 7),
      world.cluster.leads(a, 6),
      world.cluster.leads('http://x:2379', 7),
    ]).toEqual([true, false, false]);
  });

  test('is none where writes go through a follower', async () => {
    setUp({ endpoints: [b], discover: false });
    world.words[b] = says('B', { leader: 'A' });
    await settle();
    await jest.advanceTimersByTimeAsync(4_000);
    expect([world.cluster.view.leaderEndpoint, world.cluster.leads(b, undefined)]).toEqual([b, false]);
  });
});

describe('members that were changed', () => {
  test('are asked for anew, of all, out of turn', async () => {
    await settle();
    world.probes = [];
    const members = [...three, info('D', 'http://d:2379')];
    for (const [url, id] of [
      [a, 'A'],
      [b, 'B'],
      [c, 'C'],
    ] as const)
      world.words[url] = says(id, { members });
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    for (const url of urls) expect(world.probes).toContainEqual(expect.objectContaining({ url, full: true }));
    expect(world.cluster.view.members.map((m) => m.id)).toEqual(['A', 'B', 'C', 'D']);
    expect(world.cluster.endpoints).toContain('http://d:2379');
  });

  test('cost nothing while nobody is active', async () => {
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(world.probes).toEqual([]);
  });
});

describe('the leader, or any', () => {
  test('the leader while one is named and not tried yet', async () => {
    await settle();
    expect(world.cluster.leaderOrAny(new Map())).toBe(a);
    expect(world.cluster.leaderOrAny(new Map([[b, 1]]))).toBe(a);
    expect([b, c]).toContain(world.cluster.leaderOrAny(new Map([[a, 1]])));
    expect(
      world.cluster.leaderOrAny(
        new Map([
          [a, 1],
          [b, 1],
        ]),
      ),
    ).toBe(c);
  });

  test('any while none is named', () => {
    expect(urls).toContain(world.cluster.leaderOrAny(new Map()));
  });
});

describe('while no leader is known', () => {
  /** How often one member is asked in three seconds. */
  const asked = async (): Promise<number> => {
    world.probes = [];
    await jest.advanceTimersByTimeAsync(3_000);
    return world.probes.filter(({ url }) => url === b).length;
  };
  beforeEach(settle);

  test('members that answer are asked every 30 ms', async () => {
    for (const url of urls) world.words[url] = { ...says(url === a ? 'A' : 'B'), leader: null };
    world.cluster.doubt();
    expect(await asked()).toBeGreaterThan(90);
  });

  test('members of which none answers are asked so for a second, and in the end once a second', async () => {
    for (const url of urls) world.words[url] = refused;
    world.cluster.doubt();
    const first = await asked();
    await jest.advanceTimersByTimeAsync(30_000);
    expect([first > 30, first < 65, await asked()]).toEqual([true, true, 3]);
  });

  test('the first of them that answers is asked fast again', async () => {
    for (const url of urls) world.words[url] = refused;
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(30_000);
    world.words[b] = { ...says('B'), leader: null };
    await jest.advanceTimersByTimeAsync(1_100);
    expect(await asked()).toBeGreaterThan(90);
  });
});

test('one check answers for all who ask within a quarter of a second', async () => {
  await settle();
  const before = world.probes.length;
  for (let i = 0; i < 100; i += 1) world.cluster.check$(b).subscribe();
  await jest.advanceTimersByTimeAsync(200);
  world.cluster.check$(b).subscribe();
  expect(world.probes.length - before).toBe(1);
  await jest.advanceTimersByTimeAsync(100);
  world.cluster.check$(b).subscribe();
  expect(world.probes.length - before).toBe(2);
});

describe('a watch leaves its member', () => {
  const reset = new TransportError('reset', 'ECONNRESET', true);
  const follow = (url: string): string[] => {
    const reasons: string[] = [];
    world.cluster
      .leave$(url, (reason) => new Error(reason))
      .subscribe({ error: ({ message }: Error) => reasons.push(message) });
    return reasons;
  };

  test('not for one broken connection of another request, if a probe is answered', async () => {
    await settle();
    const reasons = follow(a);
    world.cluster.blame(a, reset);
    await jest.advanceTimersByTimeAsync(50);
    expect(world.probes.filter(({ url }) => url === a).length).toBeGreaterThan(1);
    expect(world.cluster.view.live).toContain(a);
    expect(reasons).toEqual([]);
  });

  test('for good once the client is closed', async () => {
    await settle();
    const seen: string[] = [];
    const watch = (): void => {
      world.cluster
        .leave$(a, (reason) => new Error(reason))
        .subscribe({ next: () => seen.push('next'), complete: () => seen.push('complete') });
    };
    watch();
    expect(seen).toEqual([]);
    world.cluster.close();
    watch();
    expect(seen).toEqual(['complete', 'complete']);
  });

  test('wherever it stands, once the cluster is known to be rebuilt; not one that comes later', async () => {
    await settle();
    const reasons = [follow(a), follow(a)];
    world.cluster.wasRebuilt();
    const later = follow(a);
    await jest.advanceTimersByTimeAsync(50);
    expect([...reasons, later]).toEqual([['the cluster was rebuilt'], ['the cluster was rebuilt'], []]);
  });

  test('once a probe fails', async () => {
    await settle();
    const reasons = follow(a);
    world.words[a] = refused;
    world.cluster.blame(a, reset);
    expect(reasons).toEqual([]);
    await jest.advanceTimersByTimeAsync(50);
    expect(reasons).toEqual(['its member does not answer']);
  });

  test('but not before another one answers', async () => {
    await settle();
    const reasons = follow(a);
    for (const url of urls) world.words[url] = refused;
    for (const url of urls) world.cluster.blame(url, reset);
    await jest.advanceTimersByTimeAsync(200);
    expect([world.cluster.view.down, reasons]).toEqual([urls, []]);
    world.words[b] = says('B', { leader: 'B' });
    await jest.advanceTimersByTimeAsync(200);
    expect(reasons).toEqual(['its member does not answer']);
  });

  const moveLeadTo = async (leader: string): Promise<void> => {
    world.allName(leader);
    world.cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
  };

  test('when all name another leader, though its own member answers as before', async () => {
    await settle();
    const reasons = follow(a);
    await moveLeadTo('B');
    expect([world.cluster.view.leaderEndpoint, world.cluster.view.live]).toEqual([b, urls]);
    expect(reasons).toEqual(['another member leads']);
  });

  test("not for another leader, where any member will do (watchOn: 'any')", async () => {
    setUp({ watchOn: 'any' });
    await settle();
    const reasons = follow(a);
    await moveLeadTo('B');
    expect([world.cluster.view.leaderEndpoint, reasons]).toEqual([b, []]);
  });
});
