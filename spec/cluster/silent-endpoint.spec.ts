import { map, timer, type Observable } from 'rxjs';
import { Cluster } from '../../lib/cluster/cluster.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { EventBus } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import { TransportError } from '../../lib/transport/transport-error.js';

/* Where a probe may wait for a connection unseen, that it was not answered in time does not say that anything is down. */
const [a, b, c] = ['http://a:2379', 'http://b:2379', 'http://c:2379'];
const refused = new TransportError('reset', 'ERR_NETWORK', true);
const late = new TransportError('timeout', 'timed out after 1000 ms', true, 1_000);

type Word = string | null | TransportError;
let words: Record<string, Word>;
let cluster: Cluster;

function setUp(urls: string[], mayWait = true): void {
  words = Object.fromEntries(urls.map((url) => [url, a]));
  const members = urls.map((url) => ({ id: url, name: url, clientURLs: [url], peerURLs: [] }));
  const probe = (url: string): Observable<ProbeAnswer> =>
    timer(words[url] === late ? 1_000 : 1).pipe(
      map(() => {
        const word = words[url] ?? null;
        if (word instanceof TransportError) throw word;
        return { id: url, clusterId: 'ours', leader: word, members, version: '3.4.23' };
      }),
    );
  cluster = new Cluster(
    resolveOptions({ endpoints: urls, heartbeat: 2_000 }),
    probe,
    new EventBus(),
    mayWait,
  );
  cluster.state$.subscribe();
}
const wait = (ms: number): Promise<unknown> => jest.advanceTimersByTimeAsync(ms);
const statuses = (): string[] => cluster.state$.value.members.map(({ status }) => status);
const said = (): unknown[] => [...statuses(), cluster.state$.value.hasQuorum];

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  cluster.close();
  jest.useRealTimers();
});

describe('one member', () => {
  test('that does not answer in time is unknown, as is the quorum; nothing is sent to it', async () => {
    setUp([a]);
    await wait(50);
    expect(said()).toEqual(['running', true]);
    words[a] = late;
    await wait(20_000);
    expect(said()).toEqual(['unknown', undefined]);
    expect([cluster.state$.value.leader, cluster.view.leaderEndpoint]).toEqual([undefined, undefined]);
    words[a] = a;
    await wait(3_000);
    expect(said()).toEqual(['running', true]);
  });

  test('in Node the same is down', async () => {
    setUp([a], false);
    await wait(50);
    words[a] = late;
    await wait(20_000);
    expect(said()).toEqual(['down', false]);
  });

  test('that never answered is unknown, and so is the quorum', async () => {
    setUp([a]);
    words[a] = late;
    await wait(20_000);
    expect(said()).toEqual(['unknown', undefined]);
  });

  test('that refuses is down, whatever was before; and stays so when it is silent then', async () => {
    setUp([a]);
    await wait(50);
    words[a] = late;
    await wait(5_000);
    words[a] = refused;
    await wait(3_000);
    expect(said()).toEqual(['down', false]);
    words[a] = late;
    await wait(20_000);
    expect(said()).toEqual(['down', false]);
  });

  test('an event takes silence back at once', async () => {
    setUp([a]);
    await wait(50);
    words[a] = late;
    await wait(5_000);
    cluster.heard(a);
    expect(said()).toEqual(['running', true]);
    expect(cluster.view.leaderEndpoint).toBe(a);
  });

  test('an event since a probe was sent: that the probe is late says nothing', async () => {
    setUp([a]);
    await wait(50);
    words[a] = late;
    const states: unknown[] = [];
    const seen = cluster.state$.subscribe(({ hasQuorum }) => states.push(hasQuorum));
    for (let ms = 0; ms < 20_000; ms += 500) {
      cluster.heard(a);
      await wait(500);
    }
    seen.unsubscribe();
    expect(states).toEqual([true]);
    await wait(5_000);
    expect(said()).toEqual(['unknown', undefined]);
  });

  test('an event that comes after a refusal, which was before on its way, takes nothing back', async () => {
    setUp([a]);
    await wait(50);
    words[a] = refused;
    await wait(3_000);
    cluster.heard(a);
    expect(said()).toEqual(['down', false]);
  });
});

describe('three members', () => {
  beforeEach(async () => {
    setUp([a, b, c]);
    await wait(50);
    expect(said()).toEqual(['running', 'running', 'running', true]);
  });

  test('a silent leader is left for the next', async () => {
    words = { [a]: late, [b]: b, [c]: b };
    await wait(5_000);
    expect(said()).toEqual(['unknown', 'running', 'running', true]);
    expect(cluster.view.leaderEndpoint).toBe(b);
  });

  test('two that are silent may have a quorum; not if the third says that there is no leader', async () => {
    words = { [a]: late, [b]: late, [c]: a };
    await wait(5_000);
    expect(said()).toEqual(['unknown', 'unknown', 'running', undefined]);
    words[c] = null;
    await wait(5_000);
    expect(said()).toEqual(['unknown', 'unknown', 'running', false]);
  });
});
