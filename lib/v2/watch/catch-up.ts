import {
  concat,
  concatMap,
  defer,
  EMPTY,
  expand,
  filter,
  map,
  NEVER,
  of,
  share,
  startWith,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { unrefScheduler } from '../../util/unref-scheduler.js';
import { MemberLeft } from '../../watch/member-left.js';
import { concatEager$ } from './concat-eager.js';
import type { LegSite } from './leg-site.js';
import { indexOf, poll$, type Found, type PollPart } from './poll.js';
import { switchOnFirst } from './switch-on-first.js';
import { formerMs, gapPatienceMs, rearmGapMs, sideBySideSilenceMs } from './timing.js';

/** How many polls fill a gap side by side; each costs a server with authentication 60 ms. */
const workers = 32;
const workersWithAuth = 2;
/** No poll is worth its while for fewer indexes than this. */
const smallest = 8;
/** What may be held until its turn, in characters of JSON: above that, one poll after the other. */
const mostHeld = 16 * 1024 * 1024;

/**
 * Finds everything in a member's history from the position to an index, in order; completes once that is proven, by an event
 * at or above that index, or once the position has passed it. The position is moved by whoever takes what is found.
 *
 * @param arrived$ emits when something is there that comes behind it
 */
export function catchUp$(site: LegSite, upTo: number, arrived$: Observable<unknown>): Observable<Found> {
  const { context, position } = site;
  const next = (): number => position.next ?? upTo + 1;
  let heardAt = performance.now();
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
  /** The lowest poll; it waits for the next event, but not for ever: then another asks once more when that has come. */
  const lowest$ = (end: number): Observable<Found> =>
    defer(() => (next() > upTo ? EMPTY : chain$(next(), end))).pipe(
      timeout({ each: formerMs, with: () => NEVER, scheduler: unrefScheduler }),
      filter(isFound),
    );
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
  const fill$ = concat(first$.pipe(concatMap((sample) => concat(of(sample), sideBySide$(sample)))), last$);
  /** While something waits behind the gap. */
  const waits$ = arrived$.pipe(
    take(1),
    switchMap(() => timer(gapPatienceMs, rearmGapMs)),
    share(),
  );
  return waits$.pipe(
    filter(() => performance.now() - heardAt >= gapPatienceMs),
    startWith(undefined),
    map(() => fill$),
    // All ask from the position: it does not matter which of them finds what comes next.
    switchOnFirst(),
    filter((answer) => isToldAnew(site, answer)),
    takeWhile((answer) => indexOf(answer) <= upTo),
    takeUntil(waits$.pipe(filter(() => next() > upTo))),
  );
}

const isFound = (part: PollPart): part is Found => part.type === 'event';

/** Polls side by side find the same one. What was passed may have to be made up for. */
function isToldAnew({ position }: LegSite, answer: Found): boolean {
  const index = indexOf(answer);
  return position.isNew(index) || position.isDoubted(index);
}
