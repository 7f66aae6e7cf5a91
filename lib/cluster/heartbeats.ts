import {
  defer,
  distinctUntilChanged,
  endWith,
  exhaustMap,
  filter,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  pairwise,
  repeat,
  share,
  startWith,
  switchMap,
  takeUntil,
  timer,
  type Observable,
} from 'rxjs';
import { heartbeat } from './heartbeat.js';
import { sameList } from '../util/same-list.js';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import type { View } from './view.js';
import { eagerInVainMs, eagerMs, eagerProbeMs, heartbeatGraceMs } from './timing.js';

/** What the heartbeats of a cluster need. */
export interface HeartbeatsConfig {
  /** The cluster's view now and whenever it changes. */
  readonly view$: Observable<View>;
  /** Between two probes of one endpoint, in milliseconds, or false. */
  readonly period: number | false;
  /** Probes an endpoint and learns from it; never errors. */
  readonly probe: (url: string, full: boolean) => Observable<never>;
  /** Called when the first user has come, or one after a pause. */
  readonly begins: () => void;
  /** The endpoint has been probed before, and nothing asks for another probe. */
  readonly isKnown: (url: string) => boolean;
}

/** Every so many such probes also ask for identities and members. */
const fullEvery = 32;

/**
 * One heartbeat for each endpoint, for as long as it is one: driven by the interval, at once when a member fails or is
 * doubted, and faster while no leader is known. Shared; over when the views are.
 */
export function heartbeats$({ view$, period, probe, begins, isKnown }: HeartbeatsConfig): Observable<never> {
  const failures$ = view$.pipe(
    distinctUntilChanged((a, b) => sameList(a.live, b.live) && a.doubts === b.doubts),
    pairwise(),
    // Whoever only failed is still the same; a doubt may be about who they are.
    map(([before, after]) => ({ full: before.doubts !== after.doubts })),
  );
  const needy$ = view$.pipe(
    map(({ leaderEndpoint, live }) =>
      leaderEndpoint !== undefined ? undefined : live.length > 0 ? eagerMs : eagerInVainMs,
    ),
    distinctUntilChanged(),
    switchMap((fastFor) => (fastFor === undefined ? NEVER : ticks$(fastFor))),
  );
  // Looked for once, not once for each endpoint: there may be hundreds of them.
  const demand$ = merge(failures$, needy$).pipe(share());
  const endpoints$ = view$.pipe(
    map((view) => view.endpoints),
    distinctUntilChanged(sameList),
    map((urls): ReadonlySet<string> => new Set(urls)),
    share(),
  );
  const beat$ = (url: string): Observable<never> => {
    // Without an interval one probe at first use is enough.
    if (period === false && isKnown(url)) return demand$.pipe(exhaustMap(({ full }) => probe(url, full)));
    return demand$.pipe(
      heartbeat<{ full: boolean }, never>({ period, probe: (demand) => probe(url, demand?.full ?? true) }),
    );
  };
  const gone$ = (url: string): Observable<unknown> => endpoints$.pipe(filter((urls) => !urls.has(url)));
  const beats$ = endpoints$.pipe(
    startWith<ReadonlySet<string>>(new Set<string>()),
    pairwise(),
    mergeMap(([before, after]) => [...after].filter((url) => !before.has(url))),
    mergeMap((url) => beat$(url).pipe(takeUntil(gone$(url)))),
  );
  return defer(() => {
    begins();
    return beats$;
  }).pipe(
    takeUntil(view$.pipe(ignoreElements(), endWith('over'))),
    share({ resetOnRefCountZero: () => timer(heartbeatGraceMs, unrefScheduler) }),
  );
}

function ticks$(fastFor: number): Observable<{ full: boolean }> {
  const delay = (n: number): number =>
    Math.min(1_000, eagerProbeMs * 1.1 ** Math.max(0, n - fastFor / eagerProbeMs));
  return of(undefined).pipe(
    repeat({ delay: (n) => timer(delay(n), unrefScheduler) }),
    map((_, n) => ({ full: n % fullEvery === 0 })),
  );
}
