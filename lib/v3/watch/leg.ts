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
import { inTurn } from '../../util/in-turn.js';
import { HistoryLost } from '../../watch/history-lost.js';
import { progress } from '../../watch/leg-item.js';
import { MemberLeft } from '../../watch/member-left.js';
import { behind$ } from './behind.js';
import type { LegSite, V3LegItem } from './leg-site.js';
import { refused$ } from './refusal.js';
import { resync$ } from './resync.js';
import { Telling } from './telling.js';
import { askAgainMs, lagMs, quietMs } from './timing.js';
import { createOf } from './watch-target.js';
import { noWatch, type WatchMessage } from './watch-stream.js';
import type { Line } from './watch-streams.js';

/**
 * etcd sends so many revisions at once to a watch that replays: whoever is further behind holds up the progress of others for
 * longer, where progress waits for all.
 */
const oneBatch = 1_000;

/** What a message makes a leg emit: at once, or once something was asked for; the next message waits for it. */
type Told = Iterable<V3LegItem> | Observable<V3LegItem>;

/**
 * One leg of a watch: on a stream that it shares with the other watches at that member, or on one of its own for as long as
 * it has far to go, or its member has. It is resumed one revision before its position: what it was told of that must be told
 * again.
 */
export const leg$ = (site: LegSite): Observable<V3LegItem> => defer(() => new Leg(site).items$());

/** There may be thousands of legs: one object for each, not a closure for each thing that it does. */
class Leg {
  readonly #site: LegSite;
  readonly #stream: Line;
  /** Alone on its stream. */
  readonly #isApart: boolean;
  readonly #telling: Telling;
  /** The position that it is resumed from; undefined: it begins now, or with the state. */
  readonly #from: number | undefined;
  /** Of what the client has seen: that of the beginning. */
  readonly #epoch: number;
  /** Progress that was requested is told behind all that happened before. */
  readonly #tellsInOrder: boolean;
  /** Up to where its past goes; undefined before it stands. */
  #past: number | undefined;
  /** Its past was told. */
  #isThrough = false;
  #isLive = false;
  #lags = false;
  /** Since when a member has told nothing but how far it is (`performance.now()`). */
  #quietSince: number | undefined;
  /** Where a member tells no progress: it has told something. */
  readonly #heard$: Subject<void> | undefined;

  constructor(site: LegSite) {
    const { context, endpoint, position, start } = site;
    const isResumed = start === 'position';
    this.#site = site;
    this.#epoch = context.seen.epoch;
    this.#telling = new Telling(position, isResumed);
    this.#from = isResumed ? position.next : undefined;
    this.#tellsInOrder = context.streams.tellsInOrder(endpoint);
    // Elsewhere progress moves no position: what is far would be so again, however often it were asked for anew.
    const isFar =
      this.#tellsInOrder && this.#from !== undefined && context.seen.value - this.#from >= oneBatch;
    this.#stream = context.streams.take(endpoint, position.apart || isFar);
    this.#isApart = position.apart || (isFar && this.#stream.tellsProgress);
    this.#heard$ = this.#stream.tellsProgress ? undefined : new Subject();
  }

  items$(): Observable<V3LegItem> {
    const { target, position, start } = this.#site;
    const create = createOf(target, start === 'position' ? position.asks : undefined);
    const told$ = this.#stream.watch$(create).pipe(inTurn((message) => this.#read$(message)));
    const beside$ = [
      ...(this.#heard$ === undefined ? [] : [this.#quiet$(this.#heard$)]),
      ...(this.#isApart ? [this.#left$()] : []),
    ];
    return beside$.length === 0 ? told$ : merge(...beside$, told$);
  }

  #read$(message: WatchMessage): Told {
    const { position } = this.#site;
    const { header, created, canceled, compact_revision: compacted, watch_id: id, events } = message;
    // Until the state is there the position is that of the other one.
    if (position.lost !== 'rebuilt' && position.isOfAnother(header?.cluster_id))
      throw new HistoryLost('rebuilt', 'the cluster is another one');
    // What it says of itself may fit all the same: another watch was told something else.
    if (this.#from !== undefined && position.isOfFormer)
      throw new HistoryLost('restored', 'the store was put back to an older state');
    if (compacted > 0)
      throw new HistoryLost('compacted', `what was before revision ${compacted} has been compacted away`);
    if (canceled) return refused$(this.#site, message);
    if (created) return this.#stands$(message);
    this.#heard$?.next();
    const ordered = id !== noWatch || this.#tellsInOrder;
    const isBehind = ordered && events.length === 0 && (header?.revision ?? 0) < (position.next ?? 1) - 1;
    return isBehind && position.lost === undefined ? this.#lagging$() : this.#tell(message, ordered);
  }

  /** Its member has begun to watch. */
  #stands$({ header }: WatchMessage): Told {
    const { position, endpoint, start } = this.#site;
    const revision = header?.revision ?? 0;
    const from = this.#from;
    this.#past = revision;
    position.clusterId ??= header?.cluster_id;
    if (start === 'state') {
      this.#isLive = true;
      return resync$(this.#site).pipe(
        startWith<V3LegItem>({ type: 'catching-up', endpoint }),
        endWith<V3LegItem>({ type: 'live', endpoint }),
      );
    }
    if (from === undefined) return this.#now$(revision);
    if (revision < from - 1) return this.#lagging$();
    if (revision === from - 1 && this.#telling.isProven && !this.#isApart) {
      this.#isLive = true;
      return [{ type: 'live', endpoint }];
    }
    this.#stream.requestProgress();
    this.#heard$?.next();
    return [{ type: 'catching-up', endpoint }];
  }

  /** It begins behind all that was seen, unless that was of a store that was put back. */
  #now$(revision: number): Told {
    const { context, endpoint } = this.#site;
    const begin = (next: number): readonly V3LegItem[] => {
      this.#isLive = true;
      return [progress(next), { type: 'live', endpoint }];
    };
    const seen = context.seen.value;
    if (revision >= seen) return begin(revision + 1);
    return behind$(this.#site, seen).pipe(
      map(() => seen),
      catchError((error: unknown) => {
        if (error instanceof HistoryLost) return of(revision);
        throw error;
      }),
      concatMap((told) => begin(told + 1)),
    );
  }

  /** Its member is behind the position. */
  #lagging$(): Observable<V3LegItem> {
    const { position } = this.#site;
    return behind$(this.#site).pipe(
      concatMap((): readonly V3LegItem[] => {
        this.#lags = true;
        if (this.#isApart) return [];
        position.apart = true;
        return [{ type: 'end' }];
      }),
    );
  }

  /** @param ordered it is told behind all that happened before */
  *#tell(message: WatchMessage, ordered: boolean): Generator<V3LegItem> {
    try {
      yield* this.#telling.read(message, ordered);
    } catch (error) {
      // It has overtaken what was told of the former: what was seen of that counts no more, for nobody.
      if (error instanceof HistoryLost)
        this.#site.context.seen.restart(this.#epoch, message.header?.revision ?? 0);
      throw error;
    }
    if (this.#isLive) return;
    this.#isThrough ||= this.#hasToldPast(message, ordered);
    if (!this.#isThrough || !this.#telling.isProven) return;
    const { position, endpoint } = this.#site;
    this.#isLive = true;
    position.apart = false;
    // It has caught up, and can share again.
    yield this.#isApart ? { type: 'end' } : { type: 'live', endpoint };
  }

  #hasToldPast({ events }: WatchMessage, ordered: boolean): boolean {
    if ((this.#site.position.next ?? 0) > (this.#past ?? Infinity)) return true;
    if (events.length > 0) {
      this.#quietSince = undefined;
      return false;
    }
    // A member that tells of its progress has nothing more to say.
    if (ordered) return true;
    // Older releases say at once how far they are, and tell the rest a batch each tenth of a second.
    const now = performance.now();
    this.#quietSince ??= now;
    const isQuiet = now - this.#quietSince >= quietMs;
    if (!isQuiet) this.#stream.requestProgress(askAgainMs);
    return isQuiet;
  }

  /** Where a member tells no progress, it has told the past once it falls silent. */
  #quiet$(heard$: Observable<void>): Observable<V3LegItem> {
    const { position, endpoint } = this.#site;
    return heard$.pipe(
      switchMap(() => timer(quietMs)),
      filter(() => !this.#isLive && this.#telling.isProven),
      map((): V3LegItem => {
        this.#isLive = true;
        this.#lags = position.apart = false;
        return { type: 'live', endpoint };
      }),
    );
  }

  /** A member that stays behind is left. */
  #left$(): Observable<never> {
    const { position } = this.#site;
    return timer(lagMs, lagMs).pipe(
      tap(() => {
        if (this.#lags && position.next === this.#from) throw new MemberLeft('its member lags behind');
      }),
      ignoreElements(),
    );
  }
}
