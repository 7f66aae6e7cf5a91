import {
  catchError,
  concatMap,
  defer,
  endWith,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  startWith,
  Subject,
  switchMap,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { HistoryLost } from '../../watch/history-lost.js';
import { progress } from '../../watch/leg-item.js';
import { MemberLeft } from '../../watch/member-left.js';
import { learn } from '../context.js';
import { behind$ } from './behind.js';
import type { LegSite, V3LegItem } from './leg-site.js';
import { refused$ } from './refusal.js';
import { resync$ } from './resync.js';
import { Telling } from './telling.js';
import { askAgainMs, lagMs, quietMs } from './timing.js';
import { createOf } from './watch-target.js';
import { noWatch, type WatchMessage } from './watch-stream.js';

/**
 * etcd sends so many revisions at once to a watch that replays: whoever is further behind holds up the progress of others for
 * longer, where progress waits for all.
 */
const oneBatch = 1_000;

/**
 * One leg of a watch: on a stream that it shares with the other watches at that member, or on one of its own for as long as
 * it has far to go, or its member has. It is resumed one revision before its position: what it was told of that must be told
 * again.
 */
export function leg$(site: LegSite): Observable<V3LegItem> {
  return defer(() => {
    const { context, endpoint, position, start, target } = site;
    const { epoch } = context.seen;
    const isResumed = start === 'position';
    const from = isResumed ? position.next : undefined;
    const tellsInOrder = context.streams.tellsInOrder(endpoint);
    // Elsewhere progress moves no position: what is far would be so again, however often it were asked for anew.
    const isFar = tellsInOrder && from !== undefined && context.seen.value - from >= oneBatch;
    const stream = context.streams.take(endpoint, position.apart || isFar);
    const apart = position.apart || (isFar && stream.tellsProgress);
    const telling = new Telling(position, isResumed);
    /** Up to where its past goes; undefined before it stands. */
    let past: number | undefined;
    let isThrough = false;
    /** Where a member tells no progress: it has told something. */
    const heard$ = stream.tellsProgress ? undefined : new Subject<void>();
    let isLive = false;
    let lags = false;
    /** Since when a member has told nothing but how far it is (`performance.now()`). */
    let quietSince: number | undefined;

    const live = function* ({ events }: WatchMessage, ordered: boolean): Generator<V3LegItem> {
      isThrough ||= (position.next ?? 0) > (past ?? Infinity);
      if (events.length > 0) quietSince = undefined;
      // A member that tells of its progress has nothing more to say.
      else if (ordered) isThrough = true;
      else if (!isThrough) {
        // Older releases say at once how far they are, and tell the rest a batch each tenth of a second.
        const now = performance.now();
        quietSince ??= now;
        isThrough = now - quietSince >= quietMs;
        if (!isThrough) stream.requestProgress(askAgainMs);
      }
      if (isLive || !isThrough || !telling.isProven) return;
      isLive = true;
      position.apart = false;
      // It has caught up, and can share again.
      yield apart ? { type: 'end' } : { type: 'live', endpoint };
    };
    const tell = function* (message: WatchMessage, ordered: boolean): Generator<V3LegItem> {
      try {
        yield* telling.read(message, ordered);
      } catch (error) {
        // It has overtaken what was told of the former: what was seen of that counts no more, for nobody.
        if (error instanceof HistoryLost) context.seen.restart(epoch, message.header?.revision ?? 0);
        throw error;
      }
      yield* live(message, ordered);
    };
    /** The member is behind the position. */
    const lagging$ = (): Observable<V3LegItem> =>
      behind$(site).pipe(
        concatMap((): readonly V3LegItem[] => {
          lags = true;
          if (apart) return [];
          position.apart = true;
          return [{ type: 'end' }];
        }),
      );
    /** It begins behind all that was seen, unless that was of a store that was put back. */
    const now$ = (revision: number): Observable<V3LegItem> | readonly V3LegItem[] => {
      const begin = (seen: number): readonly V3LegItem[] => {
        isLive = true;
        return [progress(seen + 1), { type: 'live', endpoint }];
      };
      const seen = context.seen.value;
      if (revision >= seen) return begin(revision);
      return behind$(site, seen).pipe(
        map(() => seen),
        catchError((error: unknown) => {
          if (error instanceof HistoryLost) return of(revision);
          throw error;
        }),
        concatMap(begin),
      );
    };
    const stand$ = (message: WatchMessage): Observable<V3LegItem> | readonly V3LegItem[] => {
      const revision = message.header?.revision ?? 0;
      past = revision;
      position.clusterId ??= message.header?.cluster_id;
      if (start === 'state') {
        isLive = true;
        return resync$(site).pipe(
          startWith<V3LegItem>({ type: 'catching-up', endpoint }),
          endWith<V3LegItem>({ type: 'live', endpoint }),
        );
      }
      if (from === undefined) return now$(revision);
      if (revision < from - 1) return lagging$();
      if (revision === from - 1 && telling.isProven && !apart) {
        isLive = true;
        return [{ type: 'live', endpoint }];
      }
      stream.requestProgress();
      heard$?.next();
      return [{ type: 'catching-up', endpoint }];
    };

    const items$ = stream.watch$(createOf(target, isResumed ? position.asks : undefined)).pipe(
      tap(({ header }) => {
        learn(context, endpoint, header);
      }),
      concatMap((message): Observable<V3LegItem> | Iterable<V3LegItem> => {
        const { header, created, canceled, compact_revision: compacted, watch_id: id, events } = message;
        // Until the state is there the position is that of the other one.
        if (position.lost !== 'rebuilt' && position.isOfAnother(header?.cluster_id))
          throw new HistoryLost('rebuilt', 'the cluster is another one');
        if (compacted > 0)
          throw new HistoryLost('compacted', `what was before revision ${compacted} has been compacted away`);
        if (canceled) return refused$(site, message);
        if (created) return stand$(message);
        heard$?.next();
        const ordered = id !== noWatch || tellsInOrder;
        const isBehind = ordered && events.length === 0 && (header?.revision ?? 0) < (position.next ?? 1) - 1;
        return isBehind && position.lost === undefined ? lagging$() : tell(message, ordered);
      }),
    );
    // Where a member tells no progress, it has told the past once it falls silent.
    const quiet$ = heard$?.pipe(
      switchMap(() => timer(quietMs)),
      filter(() => !isLive && telling.isProven),
      map((): V3LegItem => {
        isLive = true;
        lags = position.apart = false;
        return { type: 'live', endpoint };
      }),
    );
    const all$ = quiet$ === undefined ? items$ : merge(quiet$, items$);
    if (!apart) return all$;
    const left$ = timer(lagMs, lagMs).pipe(
      tap(() => {
        if (lags && position.next === from) throw new MemberLeft('its member lags behind');
      }),
      ignoreElements(),
    );
    return merge(all$, left$);
  });
}
