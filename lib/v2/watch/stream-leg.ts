import {
  catchError,
  concat,
  concatMap,
  connect,
  debounceTime,
  defer,
  EMPTY,
  expand,
  filter,
  map,
  merge,
  of,
  share,
  startWith,
  switchMap,
  take,
  tap,
  throttleTime,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { withKey } from '../with-key.js';
import { claims } from './claims.js';
import type { Cursor } from './cursor.js';
import { deliver } from './deliver.js';
import { due$ } from './due.js';
import { isHistoryLost } from './history-lost.js';
import { fill$ } from './fill.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import { matches } from './matches.js';
import { indexOf, poll$, type PollPart } from './poll.js';
import { Reserve } from './reserve.js';
import { rebuiltBy$ } from './rebuilt.js';
import { stand$ } from './stand.js';
import { stream$, type StreamPart } from './stream.js';
import type { Target } from './target.js';

/** etcd silences a stream for which more events pile up than this; after as many, it is checked. */
const suspicious = 90;
/** A burst is over when nothing came for this long, ms. */
const lull = 20;
/** While it lasts, it is checked this often, ms. */
const checkEvery = 1_000;
/** An event so far above the cursor that a follower may have skipped others, fed by a snapshot. */
const jump = 900;
/** Nothing was found for so long: the past is filled in, ms. */
const settled = 200;
/** A stream that is silent for so long, while a poll found an event, has stalled, ms. */
const stall = 30;

/**
 * A leg that is a live stream: opened from now on, what lies between the cursor and its start is filled in from the
 * member's history, and then it follows whatever comes. etcd silences a stream without a word when too many events
 * pile up: after each burst a long poll from the cursor checks that it is still alive. The same poll keeps the place of
 * an idle watch within etcd's history.
 */
export function streamLeg$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  start: LegStart,
): Observable<LegItem> {
  const reserve = new Reserve(context, cursor);
  return stream$(context, target, endpoint).pipe(
    connect((parts$) =>
      merge(
        // In order: what the stream brings waits for what was before it.
        parts$.pipe(
          concatMap((part): Observable<LegItem> | LegItem[] =>
            part.type === 'event'
              ? follow(context, target, endpoint, cursor, part)
              : stand$(context, target, cursor, start, part.info, () =>
                  begin$(context, target, endpoint, cursor, part.info.etcdIndex),
                ),
          ),
          connect((items$) =>
            merge(
              items$,
              check$(context, target, endpoint, cursor, items$, reserve),
              reserve.keep$(target, endpoint, items$),
            ),
          ),
        ),
        // Beside it: no event waits for a quorum.
        start === 'cursor' ? rebuiltBy$(context, target, cursor, parts$) : EMPTY,
      ),
    ),
  );
}

/** The stream stands: fills in what lies between the cursor and its start. */
function begin$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  index: number | undefined,
): Observable<LegItem> {
  if (index === undefined) {
    // Without its index nobody knows where it starts: such an endpoint is polled.
    context.blind.add(endpoint);
    return of({ type: 'chain' });
  }
  cursor.start(index);
  const live: LegItem = { type: 'live', endpoint };
  if (cursor.next === undefined || cursor.next > index) return of(live);
  return fill$(context, target, endpoint, cursor, index).pipe(
    concatMap((part) => toItems(deliver(context, target, cursor, part))),
    startWith<LegItem>({ type: 'catching-up', endpoint }),
    // What is left, if anything, is to wait for.
    connect((items$) =>
      merge(
        items$,
        items$.pipe(
          debounceTime(settled),
          map(() => live),
        ),
      ),
    ),
  );
}

function follow(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  part: Extract<StreamPart, { type: 'event' }>,
): LegItem[] {
  // A follower that was fed by a snapshot skips events; its history shows whether this one did.
  const jumped = cursor.next !== undefined && indexOf(part) - cursor.next > jump;
  if (jumped && context.cluster.view.leaderEndpoint !== endpoint) return [{ type: 'chain' }];
  return toItems(deliver(context, target, cursor, part));
}

const toItems = (delivery: ReturnType<typeof deliver>): LegItem[] =>
  typeof delivery === 'string' ? [] : [{ type: 'event', event: delivery }];

const isWanted = ({ body }: Extract<PollPart, { type: 'event' }>, { key, recursive }: Target): boolean =>
  matches(key, recursive, body.action, withKey(body.node ?? { key }));

/** Emits `chain` when a poll finds what the stream does not bring. */
function check$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  items$: Observable<LegItem>,
  reserve: Reserve,
): Observable<LegItem> {
  let unchecked = 0;
  let filling = false;
  // Counted once, for both who ask.
  const counted$ = items$.pipe(
    tap((item) => {
      if (item.type === 'event') unchecked += 1;
      else filling = item.type === 'catching-up';
    }),
    share(),
  );
  const isOwed = (): boolean => !filling && unchecked >= suspicious;
  const when$ = merge(
    counted$.pipe(
      debounceTime(lull),
      filter(isOwed),
      // Only now: one made in the middle of a burst says nothing of the rest.
      tap(() => {
        unchecked = 0;
      }),
    ),
    counted$.pipe(
      filter(isOwed),
      throttleTime(checkEvery, undefined, { leading: false, trailing: true }),
      filter(isOwed),
    ),
    due$(context, endpoint, cursor, () => filling),
  );
  const rescued$ = defer(() => reserve.take()).pipe(
    concatMap((part) => toItems(deliver(context, target, cursor, part))),
  );
  const missing$ = defer(() => poll$(context, target, endpoint, cursor.next)).pipe(
    // What a stream leaves out, as hidden keys, only a history holds.
    expand((part) =>
      part.type === 'event' && !isWanted(part, target)
        ? poll$(context, target, endpoint, indexOf(part) + 1)
        : EMPTY,
    ),
    tap(claims(cursor, endpoint)),
    filter((part) => part.type === 'event' && isWanted(part, target)),
    switchMap((part) =>
      items$.pipe(
        startWith(undefined),
        switchMap(() => timer(stall)),
        take(1),
        filter(() => part.type === 'event' && cursor.isNew(indexOf(part))),
      ),
    ),
    catchError((error: unknown) => (isHistoryLost(error) ? of(undefined) : throwError(() => error))),
    switchMap(() => concat(rescued$, of<LegItem>({ type: 'chain' }))),
  );
  return when$.pipe(switchMap(() => missing$));
}
