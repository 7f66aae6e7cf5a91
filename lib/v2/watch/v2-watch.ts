import {
  catchError,
  concat,
  defer,
  of,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import type { Attempt } from '../../errors.js';
import { stateTooOld } from '../../watch/member-left.js';
import { whenOver$ } from '../../watch/when-over.js';
import type { InitialState, Site, Verdict, WatchProtocol } from '../../watch/watch-protocol.js';
import type { WatchEvent } from '../model/model.js';
import { Cursor } from './cursor.js';
import { historyLost, isHistoryLost, lossOf } from './history-lost.js';
import type { LegContext } from './leg-context.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { leg$ } from './leg.js';
import { pass$ } from './pass.js';
import { readState$ } from './read-state.js';
import { rebuilt$ } from './rebuilt.js';
import { countKeysWithTtl } from './resync.js';
import type { Target } from './target.js';

/** So far behind the store a position that is asked at once is in etcd's history of 1,000 events. */
const surely = 900;

/** How a key is watched through the v2 API (etcd: Documentation/v2/api.md, "Waiting for a change"). */
export class V2Watch implements WatchProtocol<WatchEvent, Cursor> {
  readonly #context: LegContext;
  readonly #target: Target;

  constructor(context: LegContext, target: Target) {
    this.#context = context;
    this.#target = target;
  }

  position(fromIndex: number | undefined): Cursor {
    return new Cursor(fromIndex);
  }

  leg$(site: Site<Cursor>): Observable<V2LegItem> {
    const { position, start } = site;
    const { epoch } = this.#context.watermark;
    if (position.next === undefined) position.storeEpoch = epoch;
    position.storeEpoch ??= epoch;
    // Somebody else has found out that the cluster was rebuilt.
    if (start === 'position' && position.storeEpoch !== epoch)
      return throwError(() => historyLost('rebuilt'));
    const from = this.#site(site);
    const { next = Infinity, silentTo, isOutOfHistory } = position;
    const isLeft = isOutOfHistory || this.#context.watermark.value - next > surely;
    // From there on it is asked again, as long as history holds it.
    if (start === 'position' && isLeft && silentTo > next)
      return concat(
        pass$(from),
        defer(() => leg$(from)),
      );
    return leg$(from);
  }

  /**
   * A state below what the watch has delivered is that of a member that lags; if it still is when asked again, a quorum
   * tells whether the store began anew without the watch's knowledge. Such a store is one epoch ahead, as another cluster
   * is: what the watch tells of the former one is nothing to it, and the watch's resync is still to come.
   */
  state$(place: Site<Cursor>, again: boolean): Observable<InitialState<WatchEvent>> {
    const site = this.#site(place);
    const { position, stay } = site;
    const { epoch, next = 1 } = position;
    return readState$(site).pipe(
      switchMap(({ node, index, info }): Observable<InitialState<WatchEvent>> => {
        const event: WatchEvent = { action: 'sync', node, index, info };
        const ahead = { event, epoch: epoch + 1, next: 1 };
        if (position.isOfAnother(info.clusterId)) return of(ahead);
        if (index >= next - 1) return of({ event, epoch, next: index + 1 });
        const lags$ = throwError(() => stateTooOld());
        if (!again) return lags$;
        const isRebuilt$ = rebuilt$(site, { etcdIndex: index }).pipe(
          catchError((error: unknown) => {
            if (isHistoryLost(error)) return of(ahead);
            throw error;
          }),
          takeUntil(whenOver$(stay)),
        );
        return concat(isRebuilt$, lags$).pipe(take(1));
      }),
      tap(({ event: { node } }) => {
        // A state from before or behind a change of the store is not taken.
        if (position.epoch !== epoch || position.lost !== undefined) return;
        position.keysWithTtl = Math.max(position.keysWithTtl, countKeysWithTtl(node));
      }),
    );
  }

  #site(site: Site<Cursor>): LegSite {
    return { ...site, context: this.#context, target: this.#target, mark: this.#context.watermark.mark };
  }

  verdict(error: unknown, attempt: Attempt): Verdict {
    const lost = lossOf(error);
    if (lost !== undefined) return { lost };
    if (!(error instanceof Fault)) return error instanceof Error ? error : new Error(String(error));
    if (error.config.executed !== undefined) return 'again';
    const final = error.config.toError({ endpoint: attempt.endpoint, attempts: [attempt] });
    // Not etcd's word, but that of something in between, which may be mended.
    return final.code === 'UNEXPECTED_RESPONSE' ? 'again' : final;
  }
}
