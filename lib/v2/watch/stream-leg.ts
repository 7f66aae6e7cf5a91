import {
  catchError,
  concat,
  concatMap,
  connect,
  debounceTime,
  defer,
  EMPTY,
  map,
  merge,
  of,
  startWith,
  tap,
  throwError,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { deliver } from './deliver.js';
import { catchUp$ } from './catch-up.js';
import { isHistoryLost } from './history-lost.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import { maySkip } from './may-skip.js';
import { closeStandby, type Place } from './place.js';
import { needsStandby, StandbyStreams } from './standby-streams.js';
import { stand$ } from './stand.js';
import { StreamGuard } from './stream-guard.js';
import { stream$, type StreamEvent } from './stream.js';
import type { Target } from './target.js';

const chain: readonly LegItem[] = [{ type: 'chain' }];
/** Nothing was found for so long: the past is filled in, ms. */
const settled = 200;

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
  place: Place,
  start: LegStart,
): Observable<LegItem> {
  return defer(() => {
    const { cursor } = place;
    const standby = (): StandbyStreams | undefined =>
      (place.standby ??= needsStandby(cursor)
        ? new StandbyStreams(context, target, endpoint, cursor)
        : undefined);
    const guard = new StreamGuard(context, target, endpoint, cursor);
    const items$ = stream$(context, target, endpoint).pipe(
      // In order: what the stream brings waits for what was before it.
      concatMap((parts): Observable<LegItem> | Iterable<LegItem> => {
        const [first] = parts;
        return first?.type === 'registered'
          ? stand$(context, target, cursor, start, first.info, () =>
              begin$(context, target, endpoint, place, first.info.etcdIndex),
            )
          : follow(
              context,
              target,
              place,
              parts.filter((part) => part.type === 'event'),
            );
      }),
      tap((item) => {
        guard.saw(item);
        if (item.type !== 'chain') standby()?.saw();
      }),
    );
    const stalled$ = guard.stalled$(
      (lost) =>
        lost === undefined
          ? concat(follow(context, target, place, place.standby?.take() ?? []), chain)
          : rescued$(context, target, place, lost, () => chain),
      () => {
        standby()?.look();
      },
    );
    return merge(items$, stalled$);
  });
}

/** The stream stands: fills in what lies between the cursor and its start. */
function begin$(
  context: LegContext,
  target: Target,
  endpoint: string,
  place: Place,
  index: number | undefined,
): Observable<LegItem> {
  const { cursor } = place;
  if (index === undefined) {
    // Without its index nobody knows where it starts: such an endpoint is polled.
    context.blind.add(endpoint);
    closeStandby(place);
    return of({ type: 'chain' });
  }
  cursor.start(index);
  if (cursor.next === undefined || cursor.next > index) return of({ type: 'live', endpoint });
  return past$(context, target, endpoint, place, index);
}

/** All from the cursor to an index: from the member's history, and from what was caught when that is gone. */
function past$(
  context: LegContext,
  target: Target,
  endpoint: string,
  place: Place,
  upTo: number,
): Observable<LegItem> {
  return catchUp$(context, target, endpoint, place.cursor, upTo).pipe(
    concatMap((part) => toItems(deliver(context, target, place.cursor, part))),
    startWith<LegItem>({ type: 'catching-up', endpoint }),
    // What is left, if anything, is to wait for.
    connect((items$) =>
      merge(
        items$,
        items$.pipe(
          debounceTime(settled),
          map((): LegItem => ({ type: 'live', endpoint })),
        ),
      ),
    ),
    catchError((error: unknown) =>
      isHistoryLost(error)
        ? rescued$(context, target, place, error, () => past$(context, target, endpoint, place, upTo))
        : throwError(() => error),
    ),
  );
}

/**
 * History has lost a part of a burst: takes what was caught of it, with what is still on its way, and goes on behind
 * that. Errors as history did if nothing was caught.
 */
function rescued$(
  context: LegContext,
  target: Target,
  place: Place,
  lost: unknown,
  goOn: () => ObservableInput<LegItem>,
): Observable<LegItem> {
  const { cursor, standby } = place;
  const before = cursor.next;
  const caught$ =
    standby === undefined
      ? EMPTY
      : standby.settled$().pipe(concatMap(() => follow(context, target, place, standby.take())));
  return concat(
    caught$,
    defer(() => (cursor.next === before ? throwError(() => lost) : goOn())),
  );
}

/** One by one: whoever takes them may stop at any of them. */
function* follow(
  context: LegContext,
  target: Target,
  place: Place,
  events: Iterable<StreamEvent>,
): Generator<LegItem> {
  for (const part of events) {
    if (maySkip(context, place.cursor, part)) {
      // What was left out for one stream was left out for all.
      closeStandby(place);
      yield { type: 'chain' };
    } else yield* toItems(deliver(context, target, place.cursor, part));
  }
}

const toItems = (delivery: ReturnType<typeof deliver>): LegItem[] =>
  typeof delivery === 'string' ? [] : [{ type: 'event', event: delivery }];
