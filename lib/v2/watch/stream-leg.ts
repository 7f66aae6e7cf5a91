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
import { progress } from '../../watch/leg-item.js';
import { deliver, type Delivery } from './deliver.js';
import { catchUp$, type Gap } from './catch-up.js';
import { isHistoryLost } from './history-lost.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { maySkip } from './may-skip.js';
import { Overdue } from './overdue.js';
import { standbyOf } from './standby-streams.js';
import { stand$ } from './stand.js';
import { StreamGuard } from './stream-guard.js';
import { stream$, type StreamEvent } from './stream.js';
import { settledMs } from './timing.js';

const end: readonly V2LegItem[] = [{ type: 'end' }];
/** etcd silences no stream before more than 100 events have piled up, and sends these. */
const surelySent = 90;

/**
 * A leg that is a live stream: opened from now on, what lies between the position and its start is caught up with from the
 * member's history, and then it follows whatever comes. etcd silences a stream without a word when too many events
 * pile up: after each burst a long poll from the position checks that it is still alive. The same poll keeps the place of
 * an idle watch within etcd's history.
 */
export function streamLeg$(site: LegSite): Observable<V2LegItem> {
  return defer(() => {
    const { context, endpoint, position } = site;
    const { headers, watermark } = context;
    const guard = new StreamGuard(site, () => {
      standbyOf(site)?.look();
    });
    const overdue = new Overdue(site);
    let stands = false;
    let brought = 0;
    const items$ = stream$(site).pipe(
      tap((parts) => {
        if (stands) {
          brought += parts.length;
          guard.arrived();
          headers.eventsComeInTime(endpoint);
        } else {
          headers.haveBegun(endpoint);
          overdue.begun();
        }
        stands = true;
      }),
      // In order: what the stream brings waits for what was before it.
      concatMap((parts): Observable<V2LegItem> | Iterable<V2LegItem> => {
        const [first] = parts;
        return first?.type === 'registered'
          ? stand$(site, first.info, () => begin$(site, guard, first.info.etcdIndex))
          : follow(
              site,
              parts.filter((part) => part.type === 'event'),
            );
      }),
      tap((item) => {
        guard.saw(item);
        if (item.type === 'live' && headers.tryStreams(endpoint)) guard.check();
        if (item.type === 'live' || item.type === 'catching-up') standbyOf(site)?.saw();
      }),
    );
    const stalled$ = guard.stalled$((lost) => {
      if (lost !== undefined) return rescued$(site, lost, () => end);
      // Of so few none has been silenced by etcd.
      const pending = watermark.value - Math.max(position.next ?? 0, position.silentTo);
      if (Math.min(brought, pending) < surelySent) headers.eventsComeLate(endpoint);
      return concat(follow(site, position.standby?.take() ?? []), end);
    });
    return merge(items$, stalled$, overdue.end$());
  });
}

/** The stream stands: catches up with what lies between the position and its start. */
function begin$(site: LegSite, guard: StreamGuard, index: number | undefined): Observable<V2LegItem> {
  const { context, endpoint, position } = site;
  if (index === undefined) {
    // Without its index nobody knows where it starts: such an endpoint is polled.
    context.headers.hides(endpoint);
    position.standby?.close();
    return of({ type: 'end' });
  }
  const live: V2LegItem = { type: 'live', endpoint };
  if (position.next === undefined) return of(progress(index + 1), live);
  return position.next > index ? of(live) : guard.fill$(index + 1, (gap) => past$(site, index, gap));
}

/** All from the position to an index: from the member's history, and from what was caught when that is gone. */
function past$(site: LegSite, upTo: number, gap: Gap): Observable<V2LegItem> {
  const { endpoint } = site;
  return catchUp$(site, upTo, gap).pipe(
    concatMap((part) => emitted(site, deliver(site, part))),
    startWith<V2LegItem>({ type: 'catching-up', endpoint }),
    // What is left, if anything, is to wait for.
    connect((items$) =>
      merge(
        items$,
        items$.pipe(
          debounceTime(settledMs),
          map((): V2LegItem => ({ type: 'live', endpoint })),
        ),
      ),
    ),
    catchError((error: unknown) =>
      isHistoryLost(error) ? rescued$(site, error, () => past$(site, upTo, gap)) : throwError(() => error),
    ),
  );
}

/**
 * History has lost a part of a burst: takes what was caught of it, with what is still on its way, and goes on behind
 * that. Errors as history did if nothing was caught.
 */
function rescued$(
  site: LegSite,
  lost: unknown,
  goOn: () => ObservableInput<V2LegItem>,
): Observable<V2LegItem> {
  const { position } = site;
  const { standby, next: before } = position;
  const caught$ =
    standby === undefined ? EMPTY : standby.settled$().pipe(concatMap(() => follow(site, standby.take())));
  return concat(
    caught$,
    defer(() => (position.next === before ? throwError(() => lost) : goOn())),
  );
}

/** One by one: whoever takes them may stop at any of them, and moves the position before the next is looked at. */
function* follow(site: LegSite, events: Iterable<StreamEvent>): Generator<V2LegItem> {
  for (const part of events) {
    if (maySkip(site, part)) {
      // What was left out for one stream was left out for all.
      site.position.standby?.close();
      yield { type: 'end' };
    } else yield* emitted(site, deliver(site, part));
  }
}

/** What is to be emitted; behind it, where the position has moved to, standby streams may be wanted elsewhere. */
function* emitted(site: LegSite, delivery: Delivery): Generator<V2LegItem> {
  if (delivery === 'old') return;
  yield delivery;
  standbyOf(site)?.saw();
}
