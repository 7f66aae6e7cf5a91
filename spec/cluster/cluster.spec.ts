import { map, NEVER, timer, type Observable } from 'rxjs';
import { Cluster } from '../../lib/cluster/cluster.js';
import { Member, type MemberInfo } from '../../lib/cluster/member.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { EventBus } from '../../lib/events.js';
import { resolveOptions } from '../../lib/options.js';
import { TransportError } from '../../lib/transport/transport-error.js';

type Word = ProbeAnswer | TransportError | 'silence';

const [a, b, c] = ['http://a:2379', 'http://b:2379', 'http://c:2379'] as const;
const urls = [a, b, c];
const refused = new TransportError('connect', 'ECONNREFUSED', false);
const info = (id: string, ...clientURLs: string[]): MemberInfo => ({
  id,
  name: id,
  clientURLs,
  peerURLs: [],
});
const three = [info('A', a), info('B', b), info('C', c)];

/** What each endpoint answers to a probe, 1 ms later; `A` leads. */
let words: Record<string, Word>;
let probes: { url: string; full: boolean }[];
let cluster: Cluster;

const says = (id: string, more: ProbeAnswer = {}): ProbeAnswer => ({
  id,
  clusterId: 'ours',
  leader: 'A',
  members: three,
  version: '3.4.23',
  ...more,
});

function setUp(options: object = {}): void {
  words = { [a]: says('A'), [b]: says('B'), [c]: says('C') };
  probes = [];
  const probe = (url: string, full: boolean): Observable<ProbeAnswer> => {
    probes.push({ url, full });
    const word = words[url] ?? refused;
    if (word === 'silence') return NEVER;
    return timer(1).pipe(
      map(() => {
        if (word instanceof TransportError) throw word;
        const { leader, clusterId } = word;
        return full ? word : ({ leader, clusterId } as ProbeAnswer);
      }),
    );
  };
  cluster = new Cluster(
    resolveOptions({ endpoints: urls, heartbeat: false, ...options }),
    probe,
    new EventBus(),
  );
}

/** Somebody is active, and all endpoints were probed. */
async function settle(): Promise<void> {
  cluster.state$.subscribe();
  await jest.advanceTimersByTimeAsync(50);
  expect(cluster.view.settled).toBe(true);
}

const memberOf = (id: string): Member => {
  const found = cluster.view.members.find((m) => m.id === id);
  if (found === undefined) throw new Error(`no member ${id}`);
  return found;
};

beforeEach(() => {
  jest.useFakeTimers();
  setUp();
});
afterEach(() => {
  cluster.close();
  jest.useRealTimers();
});

describe('the release at an endpoint', () => {
  test('is known once a full probe has told', async () => {
    expect(cluster.version(a)).toBeUndefined();
    words[b] = says('B', { version: '3.5.16' });
    await settle();
    expect([a, b, c, 'http://elsewhere'].map((url) => cluster.version(url))).toEqual([
      '3.4.23',
      '3.5.16',
      '3.4.23',
      undefined,
    ]);
  });

  test('is kept by a probe that does not ask, and follows an upgrade', async () => {
    await settle();
    cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(probes.at(-1)).toEqual({ url: b, full: false });
    expect(cluster.version(b)).toBe('3.4.23');
    words[b] = says('B', { version: '3.5.16' });
    cluster.refresh$().subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(cluster.version(b)).toBe('3.5.16');
  });

  test('is asked again of one that comes back: it may have been upgraded', async () => {
    await settle();
    words[b] = refused;
    cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(300);
    words[b] = says('B', { version: '3.5.16' });
    cluster.check$(b).subscribe();
    await jest.advanceTimersByTimeAsync(5);
    expect(cluster.version(b)).toBe('3.5.16');
  });

  test('is not known of one that never told', async () => {
    const { version: _, ...mute } = says('B');
    words[b] = mute;
    await settle();
    expect(cluster.version(b)).toBeUndefined();
  });
});

describe('where a member can be asked', () => {
  test('before the members are known: each endpoint stands for one', () => {
    expect(cluster.view.members.map((m) => cluster.endpointOf(m))).toEqual(urls);
  });

  test('at the endpoint where it answers, though it advertises another', async () => {
    const members = [info('A', 'http://10.0.0.1:2379'), info('B', 'http://10.0.0.2:2379'), info('C')];
    words = { [a]: says('A', { members }), [b]: says('B', { members }), [c]: says('C', { members }) };
    await settle();
    expect(['A', 'B', 'C'].map((id) => cluster.endpointOf(memberOf(id)))).toEqual(urls);
  });

  test('found in the cluster: at what it advertises, dead or alive', async () => {
    setUp({ endpoints: [a] });
    words[c] = refused;
    await settle();
    expect(['A', 'B', 'C'].map((id) => cluster.endpointOf(memberOf(id)))).toEqual(urls);
  });

  test('of several endpoints at one that lives', async () => {
    const members = [info('A', a, b), info('C', c)];
    words = { [a]: says('A', { members }), [b]: says('A', { members }), [c]: says('C', { members }) };
    await settle();
    expect(cluster.endpointOf(memberOf('A'))).toBe(a);
    cluster.blame(a, refused);
    expect(cluster.endpointOf(memberOf('A'))).toBe(b);
    cluster.blame(b, refused);
    expect(cluster.endpointOf(memberOf('A'))).toBe(a);
  });

  test('nowhere, where the client knows no endpoint of it', async () => {
    setUp({ endpoints: [a], discover: false });
    await settle();
    expect(['A', 'B', 'C'].map((id) => cluster.endpointOf(memberOf(id)))).toEqual([a, undefined, undefined]);
  });

  test('not where another member answers at its URL', async () => {
    const members = [info('A', a), info('B', c), info('C', c)];
    words = { [a]: says('A', { members }), [b]: refused, [c]: says('C', { members }) };
    await settle();
    expect(['A', 'B', 'C'].map((id) => cluster.endpointOf(memberOf(id)))).toEqual([a, undefined, c]);
  });

  test('nowhere, when it is no member any more', async () => {
    await settle();
    const gone = new Member(info('D', 'http://d:2379'), 'unknown', false);
    expect(cluster.endpointOf(gone)).toBeUndefined();
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
    const before = cluster.view;
    probes = [];
    expect(cluster.redirected(b, to)).toBe(false);
    expect(cluster.view).toBe(before);
    await jest.advanceTimersByTimeAsync(50);
    expect(probes).toEqual([]);
  });

  test('to an endpoint that belongs to another cluster may not be followed', async () => {
    words[c] = says('Z', { clusterId: 'foreign', members: [info('Z', c)] });
    await settle();
    expect(cluster.redirected(b, c)).toBe(false);
  });

  test('to a found URL may be followed once its member has said who it is', async () => {
    setUp({ endpoints: [a] });
    words[b] = 'silence';
    cluster.state$.subscribe();
    await jest.advanceTimersByTimeAsync(50);
    expect(cluster.endpoints).toEqual(urls);
    expect([cluster.redirected(a, b), cluster.redirected(a, c)]).toEqual([false, true]);
  });

  test('to a member may be followed; it is taken for the word of who sent it, and all are asked', async () => {
    await settle();
    expect(cluster.view.leaderEndpoint).toBe(a);
    probes = [];
    for (const [url, id] of [
      [a, 'A'],
      [b, 'B'],
      [c, 'C'],
    ] as const)
      words[url] = says(id, { leader: 'B' });
    expect(cluster.redirected(a, b)).toBe(true);
    // The leader itself has said that it leads no more.
    expect(cluster.view.leaderEndpoint).toBeUndefined();
    await jest.advanceTimersByTimeAsync(50);
    expect(cluster.view.leaderEndpoint).toBe(b);
    for (const url of urls) expect(probes).toContainEqual({ url, full: true });
  });

  test('is believed at once, where that makes a majority', async () => {
    words[a] = refused;
    words[b] = says('B', { leader: null });
    words[c] = says('C', { leader: 'C' });
    await settle();
    expect(cluster.view.leaderEndpoint).toBeUndefined();
    expect(cluster.redirected(b, c)).toBe(true);
    expect(cluster.view.leaderEndpoint).toBe(c);
  });
});

describe('the endpoint of the leader', () => {
  test('is that of the member itself, not of one that forwards, and only since its term began', async () => {
    await settle();
    expect(urls.map((url) => cluster.leads(url, undefined))).toEqual([true, false, false]);
    cluster.sawTerm(7);
    expect([cluster.leads(a, 7), cluster.leads(a, 6), cluster.leads('http://x:2379', 7)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('is none where writes go through a follower', async () => {
    setUp({ endpoints: [b], discover: false });
    words[b] = says('B', { leader: 'A' });
    await settle();
    await jest.advanceTimersByTimeAsync(4_000);
    expect([cluster.view.leaderEndpoint, cluster.leads(b, undefined)]).toEqual([b, false]);
  });
});

describe('members that were changed', () => {
  test('are asked for anew, of all, out of turn', async () => {
    await settle();
    probes = [];
    const members = [...three, info('D', 'http://d:2379')];
    for (const [url, id] of [
      [a, 'A'],
      [b, 'B'],
      [c, 'C'],
    ] as const)
      words[url] = says(id, { members });
    cluster.doubt();
    await jest.advanceTimersByTimeAsync(50);
    for (const url of urls) expect(probes).toContainEqual({ url, full: true });
    expect(cluster.view.members.map((m) => m.id)).toEqual(['A', 'B', 'C', 'D']);
    expect(cluster.endpoints).toContain('http://d:2379');
  });

  test('cost nothing while nobody is active', async () => {
    cluster.doubt();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(probes).toEqual([]);
  });
});

describe('the leader, or any', () => {
  test('the leader while one is named and not tried yet', async () => {
    await settle();
    expect(cluster.leaderOrAny(new Map())).toBe(a);
    expect(cluster.leaderOrAny(new Map([[b, 1]]))).toBe(a);
    expect([b, c]).toContain(cluster.leaderOrAny(new Map([[a, 1]])));
    expect(
      cluster.leaderOrAny(
        new Map([
          [a, 1],
          [b, 1],
        ]),
      ),
    ).toBe(c);
  });

  test('any while none is named', () => {
    expect(urls).toContain(cluster.leaderOrAny(new Map()));
  });
});

describe('while no leader is known', () => {
  /** How often one member is asked in three seconds. */
  const asked = async (): Promise<number> => {
    probes = [];
    await jest.advanceTimersByTimeAsync(3_000);
    return probes.filter(({ url }) => url === b).length;
  };
  beforeEach(settle);

  test('members that answer are asked every 30 ms', async () => {
    for (const url of urls) words[url] = { ...says(url === a ? 'A' : 'B'), leader: null };
    cluster.doubt();
    expect(await asked()).toBeGreaterThan(90);
  });

  test('members of which none answers are asked so for a second, and in the end once a second', async () => {
    for (const url of urls) words[url] = refused;
    cluster.doubt();
    const first = await asked();
    await jest.advanceTimersByTimeAsync(30_000);
    expect([first > 30, first < 65, await asked()]).toEqual([true, true, 3]);
  });

  test('the first of them that answers is asked fast again', async () => {
    for (const url of urls) words[url] = refused;
    cluster.doubt();
    await jest.advanceTimersByTimeAsync(30_000);
    words[b] = { ...says('B'), leader: null };
    await jest.advanceTimersByTimeAsync(1_100);
    expect(await asked()).toBeGreaterThan(90);
  });
});

test('one check answers for all who ask within a quarter of a second', async () => {
  await settle();
  const before = probes.length;
  for (let i = 0; i < 100; i += 1) cluster.check$(b).subscribe();
  await jest.advanceTimersByTimeAsync(200);
  cluster.check$(b).subscribe();
  expect(probes.length - before).toBe(1);
  await jest.advanceTimersByTimeAsync(100);
  cluster.check$(b).subscribe();
  expect(probes.length - before).toBe(2);
});

describe('a watch leaves its member', () => {
  const reset = new TransportError('reset', 'ECONNRESET', true);
  const follow = (url: string): string[] => {
    const reasons: string[] = [];
    cluster
      .leave$(url, (reason) => new Error(reason))
      .subscribe({ error: ({ message }: Error) => reasons.push(message) });
    return reasons;
  };

  test('not for one broken connection of another request, if a probe is answered', async () => {
    await settle();
    const reasons = follow(a);
    cluster.blame(a, reset);
    await jest.advanceTimersByTimeAsync(50);
    expect(probes.filter(({ url }) => url === a).length).toBeGreaterThan(1);
    expect(cluster.view.live).toContain(a);
    expect(reasons).toEqual([]);
  });

  test('once a probe fails', async () => {
    await settle();
    const reasons = follow(a);
    words[a] = refused;
    cluster.blame(a, reset);
    expect(reasons).toEqual([]);
    await jest.advanceTimersByTimeAsync(50);
    expect(reasons).toEqual(['its member does not answer']);
  });

  test('but not before another one answers', async () => {
    await settle();
    const reasons = follow(a);
    for (const url of urls) words[url] = refused;
    for (const url of urls) cluster.blame(url, reset);
    await jest.advanceTimersByTimeAsync(200);
    expect([cluster.view.down, reasons]).toEqual([urls, []]);
    words[b] = says('B', { leader: 'B' });
    await jest.advanceTimersByTimeAsync(200);
    expect(reasons).toEqual(['its member does not answer']);
  });
});
