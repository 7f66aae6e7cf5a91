import { defer, map, NEVER, timer, type Observable } from 'rxjs';
import { Cluster } from '../../lib/cluster/cluster.js';
import type { MemberInfo } from '../../lib/cluster/member.js';
import type { ProbeAnswer } from '../../lib/cluster/probe.js';
import { EventBus } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import { TransportError } from '../../lib/transport/transport-error.js';

/** What an endpoint answers to a probe, or how that fails. */
export type Word = ProbeAnswer | Error | 'silence';

export const [a, b, c] = ['http://a:2379', 'http://b:2379', 'http://c:2379'] as const;
export const urls = [a, b, c];
export const refused = new TransportError('connect', 'ECONNREFUSED', false);
export const reset = new TransportError('reset', 'ECONNRESET', true);
export const info = (id: string, ...clientURLs: string[]): MemberInfo => ({
  id,
  name: id,
  clientURLs,
  peerURLs: [],
});
export const three = [info('A', a), info('B', b), info('C', c)];

export const says = (id: string, more: ProbeAnswer = {}): ProbeAnswer => ({
  id,
  clusterId: 'ours',
  leader: 'A',
  members: three,
  version: '3.4.23',
  ...more,
});

/** Three members, of which `A` leads, and a cluster over them without a heartbeat's interval; each probe takes 1 ms. */
export function threeMembers() {
  const world = {
    /** What each endpoint answers. */
    words: {} as Record<string, Word>,
    /** The probes that were sent. */
    probes: [] as { url: string; full: boolean; at: number }[],
    cluster: undefined as unknown as Cluster,
    events: new EventBus(),

    /** From now on all of them name this leader. */
    allName(leader: string): void {
      for (const [url, id] of [
        [a, 'A'],
        [b, 'B'],
        [c, 'C'],
      ] as const)
        world.words[url] = says(id, { leader });
    },

    setUp(options: object = {}): void {
      world.words = { [a]: says('A'), [b]: says('B'), [c]: says('C') };
      world.probes = [];
      world.events = new EventBus();
      const probe = (url: string, full: boolean): Observable<ProbeAnswer> =>
        defer(() => {
          world.probes.push({ url, full, at: performance.now() });
          const word = world.words[url] ?? refused;
          if (word === 'silence') return NEVER;
          return timer(1).pipe(
            map(() => {
              if (word instanceof Error) throw word;
              const { leader, clusterId } = word;
              return full ? word : { leader, clusterId };
            }),
          );
        });
      const settings = resolveOptions({ endpoints: urls, heartbeat: false, ...options });
      world.cluster = new Cluster(settings, probe, world.events);
    },

    /** Somebody is active, and all endpoints were probed. */
    async settle(): Promise<void> {
      world.cluster.state$.subscribe();
      await jest.advanceTimersByTimeAsync(50);
      expect(world.cluster.view.settled).toBe(true);
    },
  };
  beforeEach(() => {
    jest.useFakeTimers();
    world.setUp();
  });
  afterEach(() => {
    world.cluster.close();
    jest.useRealTimers();
  });
  return world;
}
