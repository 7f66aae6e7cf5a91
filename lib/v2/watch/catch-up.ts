import {
  concat,
  concatMap,
  defer,
  EMPTY,
  expand,
  filter,
  of,
  takeUntil,
  takeWhile,
  tap,
  timeout,
  type Observable,
} from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';
import { claimsOf } from './claims.js';
import { concatEager$ } from './concat-eager.js';
import type { LegSite } from './leg-site.js';
import { indexOf, isFound, type Found, type PollPart } from './poll-part.js';
import { poll$ } from './poll.js';
import { sideBySideSilenceMs } from './timing.js';

/** How many polls fill a gap side by side; each costs a server with authentication 60 ms. */
const workers = 32;
const workersWithAuth = 2;
/** No poll is worth its while for fewer indexes than this. */
const smallest = 8;
/** What may be held until its turn, in characters of JSON: above that, one poll after the other. */
const mostHeld = 16 * 1024 * 1024;

/**
 * Finds everything in a member's history from the position to an index, in order; completes once that is proven. The
 * position is moved by whoever takes what is found.
 */
export function catchUp$(site: LegSite, upTo: number): Observable<Found> {
  const { context, position } = site;
  const next = (): number => position.next ?? upTo + 1;
  /** One poll after the other, from there until an event at or above the end. */
  const chain$ = (from: number, end: number): Observable<PollPart> =>
    poll$(site, from).pipe(
      expand((part) => {
        if (part.type !== 'event') return EMPTY;
        const index = indexOf(part);
        if (index < from) throw new MemberLeft('it answered with an old event');
        return index + 1 < end ? poll$(site, index + 1) : EMPTY;
      }),
    );
  /** The lowest poll, whose silence may come to prove something. */
  const lowest$ = (end: number): Observable<Found> =>
    defer(() => (next() > upTo ? EMPTY : chain$(next(), end))).pipe(tap(claimsOf(site)), filter(isFound));
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
  return concat(first$.pipe(concatMap((sample) => concat(of(sample), sideBySide$(sample)))), last$).pipe(
    filter((answer) => indexOf(answer) >= next()),
    takeWhile((answer) => indexOf(answer) <= upTo),
    takeUntil(context.storeIndex$.pipe(filter(() => next() > upTo))),
  );
}
