import {
  defer,
  delay,
  filter,
  forkJoin,
  map,
  merge,
  NEVER,
  of,
  ReplaySubject,
  share,
  switchMap,
  take,
  takeWhile,
  timer,
  type Observable,
} from 'rxjs';
import { indexOf, isFound, type Found, type PollPart } from './poll-part.js';
import { overlookedMs, standingMs } from './timing.js';

/**
 * A poll of a key and all below it, where history overlooks the key itself (etcd 2.3.0 to 3.0.17): it is asked for the key
 * alone as well, and the earlier event is the answer. Once both are silent nothing of this is history, and the first poll
 * is enough.
 *
 * @param ask$ makes a poll, of all or of the key alone
 * @param showsHead a poll shows at once that it stands
 */
export function bothWays$(
  ask$: (recursive: boolean) => Observable<PollPart>,
  showsHead: boolean,
): Observable<PollPart> {
  return defer(() => earlier$(kept$(ask$(true)), kept$(ask$(false)), showsHead));
}

/** Of one poll: that it stands, that something arrives, what that is. */
const mostParts = 3;

/** What a poll has told already is told again to whoever comes later. */
const kept$ = (poll$: Observable<PollPart>): Observable<PollPart> =>
  poll$.pipe(
    share({ connector: () => new ReplaySubject(mostParts), resetOnComplete: false, resetOnError: false }),
  );

function earlier$(
  all$: Observable<PollPart>,
  own$: Observable<PollPart>,
  showsHead: boolean,
): Observable<PollPart> {
  const event$ = forkJoin([inHistory$(all$, own$, showsHead), inHistory$(own$, all$, showsHead)]).pipe(
    switchMap(([of1, of2]) => {
      if (of1 === undefined && of2 === undefined) return all$.pipe(filter(isFound));
      return of(of1 === undefined || (of2 !== undefined && indexOf(of2) < indexOf(of1)) ? of2 : of1);
    }),
    filter((event) => event !== undefined),
  );
  return merge(all$.pipe(filter((part) => !isFound(part))), event$).pipe(
    takeWhile((part) => !isFound(part), true),
  );
}

/** What history answers to a poll; undefined once it is silent. */
function inHistory$(
  poll$: Observable<PollPart>,
  other$: Observable<PollPart>,
  showsHead: boolean,
): Observable<Found | undefined> {
  const answer$ = poll$.pipe(
    switchMap((part) => {
      if (part.type === 'event') return of(part);
      return part.type === 'arriving' ? NEVER : timer(overlookedMs).pipe(map(() => undefined));
    }),
  );
  // Whoever has shown nothing long behind the other's answer is silent; nor is more to be had where nothing shows.
  const due$: Observable<unknown> = showsHead ? other$.pipe(filter(isFound)) : of(undefined);
  const unheard$ = due$.pipe(
    delay(standingMs),
    map(() => undefined),
  );
  return merge(answer$, unheard$).pipe(take(1));
}
