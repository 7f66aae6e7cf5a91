import { LinkedList, type Link } from '../util/linked-list.js';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { lookEveryMs, slowMs } from './timing.js';

/** A try between its sending and its end. */
export interface Flight {
  readonly endpoint: string;
  /** When it began (`performance.now()`). */
  readonly since: number;
  /** Since when its answer is due; undefined while it waits for a connection. */
  readonly dueSince: number | undefined;
  /** Set before `slow` is called. */
  isSlow: boolean;
  /** Something that was sent to its endpoint has failed since. */
  suspected(): void;
  /** It has been without an answer for a second. */
  slow(): void;
}

/** All tries under way. What may befall any of them is looked for in all at once: most are over before it does. */
export class InFlight {
  /** The oldest first. */
  readonly #flights = new LinkedList<Flight>();
  #isTimed = false;

  /** A try begins; its link ends it. */
  begin(flight: Flight): Link<Flight> {
    if (!this.#isTimed) this.#lookIn(slowMs);
    return this.#flights.add(flight);
  }

  /** Tells those whose endpoint has failed since they began. */
  suspect(failedAt: (endpoint: string) => number): void {
    for (const flight of this.#flights.toArray()) {
      if (failedAt(flight.endpoint) > flight.since) flight.suspected();
    }
  }

  #lookIn(ms: number): void {
    this.#isTimed = true;
    // It is the call itself that keeps a process alive.
    unrefScheduler.schedule(() => {
      this.#isTimed = false;
      this.#look();
    }, ms);
  }

  #look(): void {
    const now = performance.now();
    let next = Infinity;
    for (const flight of this.#flights.toArray()) {
      if (flight.isSlow) continue;
      const left = (flight.dueSince ?? now) + slowMs - now;
      // Timers count in whole milliseconds.
      if (left >= 1) next = Math.min(next, left);
      else {
        flight.isSlow = true;
        flight.slow();
      }
    }
    if (next < Infinity) this.#lookIn(Math.max(next, lookEveryMs));
  }
}
