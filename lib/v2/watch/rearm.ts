import { Observable, type Observer, type Subscriber } from 'rxjs';
import type { LegSite } from './leg-site.js';
import type { StoreIndex } from './read-index.js';
import { rearmAfterMs, rearmGapMs } from './timing.js';

/** An idle leg asks again once the store is this far ahead of its cursor: well within etcd's 1,000 events. */
export const lag = 250;

/**
 * Emits when an idle leg should ask its member again from the cursor. Each store index told is a witness for what the leg's own
 * headers claim.
 *
 * @param busy an event is arriving: nothing is to be asked
 * @param told called each time the store index is told
 */
export function rearm$(site: LegSite, busy: () => boolean, told?: () => void): Observable<void> {
  return new Observable((subscriber) => {
    const rearm = new Rearm(site, busy, told, subscriber);
    subscriber.add(() => {
      rearm.stop();
    });
    return site.context.storeIndex$.subscribe(rearm);
  });
}

/** One object for each idle watch, not a chain of operators: there may be thousands. */
class Rearm implements Observer<StoreIndex> {
  readonly #site: LegSite;
  readonly #busy: () => boolean;
  readonly #told: (() => void) | undefined;
  readonly #subscriber: Subscriber<void>;
  #askedAt = performance.now();
  #freeAt = -Infinity;
  #turn: ReturnType<typeof setTimeout> | undefined;

  constructor(
    site: LegSite,
    busy: () => boolean,
    told: (() => void) | undefined,
    subscriber: Subscriber<void>,
  ) {
    this.#site = site;
    this.#busy = busy;
    this.#told = told;
    this.#subscriber = subscriber;
  }

  next(storeIndex: StoreIndex): void {
    const now = performance.now();
    const { position, endpoint } = this.#site;
    if (storeIndex.answered) {
      position.witness(storeIndex.endpoint, storeIndex.sentAt);
      if (storeIndex.index > 0) position.claims.told(storeIndex.endpoint, storeIndex.index, now);
    } else if (storeIndex.endpoint === endpoint) position.doubt();
    this.#told?.();
    if (this.#turn !== undefined || now < this.#freeAt || !this.#isDue(now)) return;
    this.#freeAt = now + rearmGapMs;
    this.#turn = setTimeout(() => {
      this.#ask();
    }, this.#site.context.pace.delay(now));
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  stop(): void {
    clearTimeout(this.#turn);
  }

  #isDue(now: number): boolean {
    const { next, lost } = this.#site.position;
    if (this.#busy() || lost !== undefined || next === undefined) return false;
    const ahead = this.#site.context.watermark.value - next;
    return ahead > lag || (ahead >= 0 && now - this.#askedAt > rearmAfterMs);
  }

  /** When its turn comes, it may no longer be needed. */
  #ask(): void {
    this.#turn = undefined;
    const now = performance.now();
    if (!this.#isDue(now)) return;
    this.#askedAt = now;
    this.#subscriber.next();
  }
}
