import { catchError, concatMap, map, of, switchMap, takeUntil, throwError, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import type { Attempt } from '../../errors.js';
import { HistoryLost } from '../../watch/history-lost.js';
import { stateTooOld } from '../../watch/member-left.js';
import { whenOver$ } from '../../watch/when-over.js';
import type { InitialState, Site, Verdict, WatchProtocol } from '../../watch/watch-protocol.js';
import type { WatchEvent } from '../model/watch-event.js';
import { behind$ } from './behind.js';
import type { LegContext } from './leg-context.js';
import type { LegSite, V3LegItem } from './leg-site.js';
import { leg$ } from './leg.js';
import { readState$ } from './read-state.js';
import { withToken$ } from './with-token.js';
import { WatchPosition } from './watch-position.js';
import type { V3Target } from './watch-target.js';

/** How a range is watched through the v3 API (etcd: "etcd API", Watch API). */
export class V3Watch implements WatchProtocol<WatchEvent, WatchPosition> {
  readonly #context: LegContext;
  readonly #target: V3Target;

  constructor(context: LegContext, target: V3Target) {
    this.#context = context;
    this.#target = target;
  }

  position(fromRevision: number | undefined): WatchPosition {
    return new WatchPosition(fromRevision, this.#context.seen);
  }

  leg$(site: Site<WatchPosition>): Observable<V3LegItem> {
    const { transport, slots } = this.#context;
    const own$ = withToken$(this.#context, () => leg$(this.#site(site)));
    const items$ =
      transport.abilities.connectionsPerHost < Infinity ? slots.take$(site.endpoint, own$) : own$;
    return this.#target.progress ? items$.pipe(map((item) => withProgress(item, site.position))) : items$;
  }

  /**
   * A state below what the watch was told is that of a store which was put back, as its read is linearizable: one epoch
   * ahead, as the watch's resync is still to come.
   */
  state$(place: Site<WatchPosition>, again: boolean): Observable<InitialState<WatchEvent>> {
    const site = this.#site(place);
    const { position, stay } = site;
    const { epoch, next = 1 } = position;
    return withToken$(this.#context, () => readState$(site)).pipe(
      switchMap(({ kvs, revision, clusterId }): Observable<InitialState<WatchEvent>> => {
        const event: WatchEvent = { type: 'sync', kvs, revision };
        const ahead = { event, epoch: epoch + 1, next: 1 };
        if (position.isOfAnother(clusterId)) return of(ahead);
        if (revision >= next - 1) return of({ event, epoch, next: revision + 1 });
        const lags$ = throwError(() => stateTooOld());
        if (!again) return lags$;
        return behind$(site).pipe(
          concatMap(() => lags$),
          catchError((error: unknown) => {
            if (error instanceof HistoryLost) return of(ahead);
            throw error;
          }),
          takeUntil(whenOver$(stay)),
        );
      }),
    );
  }

  verdict(error: unknown, attempt: Attempt): Verdict {
    if (error instanceof HistoryLost) return { lost: error.loss };
    if (!(error instanceof Fault)) return error instanceof Error ? error : new Error(String(error));
    const { executed, credentialsRefused = false } = error.config;
    // The next token may do: whether there is one tells who is asked for it.
    if (executed !== undefined || (credentialsRefused && this.#context.tokens !== undefined)) return 'again';
    const final = error.config.toError({ endpoint: attempt.endpoint, attempts: [attempt] });
    // Not etcd's word, but that of something in between, which may be mended.
    return final.code === 'UNEXPECTED_RESPONSE' ? 'again' : final;
  }

  #site({ endpoint, position, start, stay }: Site<WatchPosition>): LegSite {
    // Each by its name: what is spread takes half a kilobyte more, of each watch.
    return { endpoint, position, start, stay, context: this.#context, target: this.#target };
  }
}

/** Where the position moves on without an event, that becomes one. */
function withProgress(item: V3LegItem, { next = 0 }: WatchPosition): V3LegItem {
  const isProgress = item.type === 'events' && item.events.length === 0 && item.next >= next;
  return isProgress ? { ...item, events: [{ type: 'progress', revision: item.next - 1 }] } : item;
}
