import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  expand,
  filter,
  map,
  merge,
  of,
  repeat,
  startWith,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';
import { concatEager$ } from './concat-eager.js';
import { isHistoryLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { indexOf, isFound, type Found, type PollPart } from './poll-part.js';
import { poll$ } from './poll.js';
import { switchOnFirst } from './switch-on-first.js';
import { gapPatienceMs, rearmGapMs, sideBySideSilenceMs } from './timing.js';

/** How many polls fill a gap side by side; each costs a server with authentication 60 ms. */
const workers = 32;
const workersWithAuth = 2;
/** No poll is worth its while for fewer indexes than this. */
const smallest = 8;
/** What may be held until its turn, in characters of JSON: above that, one poll after the other. */
const mostHeld = 16 * 1024 * 1024;

/** What a leg tells of a gap that is to be filled, and is told of it. */
export interface Gap {
  /** Emits when its polls may be dead, or the position has passed on. */
  readonly asks$: Observable<unknown>;
  /** Whether something has come that waits behind it. */
  readonly isAwaited: () => boolean;
  /** Emits when more such has come. */
  readonly arrivals$: Observable<unknown>;
  /** Told of what its lowest poll tells, and where that was asked from. */
  readonly saw: (part: PollPart, from: number) => void;
}

/**
 * Finds everything in a member's history from the position to an index, in order; completes once that is proven, by an event
 * above, or once the position has passed it. The position is moved by whoever takes what is found.
 *
 * Silence proves nothing. Where nothing is found and nothing waits behind the gap no poll needs to stay: once something does, it
 * is found in history, or what comes before it.
 */
export function catchUp$(site: LegSite, upTo: number, gap: Gap): Observable<Found> {
  const { context, position } = site;
  const next = (): number => position.next ?? upTo + 1;
  let isProven = false;
  let heardAt = -Infinity;
  /** One poll after the other, from there until an event at or above the end. */
  const chain$ = (from: number, end: number): Observable<PollPart> =>
    poll$(site, from).pipe(
      expand((part) => {
        heardAt = performance.now();
        if (part.type !== 'event') return EMPTY;
        const index = indexOf(part);
        if (index < from) throw new MemberLeft('it answered with an old event');
        return index + 1 < end ? poll$(site, index + 1) : EMPTY;
      }),
    );
  /** The lowest poll, before which nothing is missing. */
  const lowest$ = (end: number): Observable<Found> =>
    defer(() => {
      const from = next();
      if (from > upTo) return EMPTY;
      return chain$(from, end).pipe(
        tap((part) => {
          gap.saw(part, from);
        }),
        filter(isFound),
      );
    });
  const first$ = lowest$(0);
  const sideBySide$ = (sample: Found): Observable<Found> => {
    const from = indexOf(sample) + 1;
    const most = context.authorization === undefined ? workers : workersWithAuth;
    const fits = sample.size * (upTo - from) <= mostHeld;
    const count = fits ? Math.min(most, Math.floor((upTo - from + 1) / smallest)) : 1;
    if (count <= 1) return EMPTY;
    const step = (upTo - from + 1) / count;
    const starts = Array.from({ length: count }, (_, i) => from + Math.floor(i * step));
    return concatEager$(
      starts.map((start, i) => chain$(start, starts[i + 1] ?? upTo + 1).pipe(filter(isFound))),
    ).pipe(timeout({ each: sideBySideSilenceMs, with: () => EMPTY }));
  };
  /** Waits, if need be, for the first event above the end. */
  const last$ = lowest$(upTo + 1);
  const fill$ = concat(
    first$.pipe(concatMap((sample) => concat(of(sample), sideBySide$(sample)))),
    last$,
  ).pipe(
    // A newer poll that fails is dropped, but what is history no more for it is so for the older one.
    catchError((error: unknown) => (isHistoryLost(error) ? of({ lost: error }) : throwError(() => error))),
  );
  const waits$ = defer(() => (gap.isAwaited() ? of(undefined) : gap.arrivals$)).pipe(take(1));
  /** A poll that nothing is heard of may be held back: others ask for the same, less and less often. */
  const urged$ = waits$.pipe(
    switchMap(() => timer(gapPatienceMs).pipe(repeat({ delay: (n) => timer(n * rearmGapMs) }))),
    filter(() => performance.now() - heardAt >= gapPatienceMs),
  );
  const quiet$ = context.storeIndex$.pipe(filter(() => position.silentTo > upTo && !gap.isAwaited()));
  const passed$ = gap.asks$.pipe(filter(() => next() > upTo));
  const found$ = merge(gap.asks$, urged$).pipe(
    startWith(undefined),
    map(() => fill$),
    // All ask from the position: it does not matter which of them finds what comes next.
    switchOnFirst(),
    map((found) => {
      if ('lost' in found) throw found.lost;
      return found;
    }),
    filter((answer) => indexOf(answer) >= next()),
    takeWhile((answer) => !(isProven = indexOf(answer) > upTo)),
    takeUntil(merge(passed$, quiet$)),
  );
  return found$.pipe(repeat({ delay: () => (isProven || next() > upTo ? EMPTY : merge(gap.asks$, waits$)) }));
}
