/** What one try of a call wants to hear of, between its sending and its end. */
export interface FlightHooks {
  /** Something that was sent to its endpoint has failed since. */
  readonly onSuspected?: (() => void) | undefined;
  /** It has been without an answer for a second. */
  readonly onSlow: () => void;
}

/** A request this long without an answer has its member checked, ms. */
const slow = 1_000;

class Flight {
  readonly since = performance.now();
  isSlow = false;

  constructor(
    readonly endpoint: string,
    readonly hooks: FlightHooks,
  ) {}
}

/** All tries under way. What may befall any of them is looked for in all at once: most are over before it does. */
export class InFlight {
  /** The oldest first. */
  readonly #flights = new Set<Flight>();
  #isTimed = false;

  /** A try begins; returns what ends it. */
  begin(endpoint: string, hooks: FlightHooks): () => void {
    const flight = new Flight(endpoint, hooks);
    this.#flights.add(flight);
    if (!this.#isTimed) this.#lookIn(slow);
    return () => {
      this.#flights.delete(flight);
    };
  }

  /** Tells those whose endpoint has failed since they began. */
  suspect(failedAt: (endpoint: string) => number): void {
    for (const { endpoint, since, hooks } of [...this.#flights]) {
      if (hooks.onSuspected !== undefined && failedAt(endpoint) > since) hooks.onSuspected();
    }
  }

  #lookIn(ms: number): void {
    this.#isTimed = true;
    const timer: { unref?: () => void } | number = setTimeout(() => {
      this.#isTimed = false;
      this.#look();
    }, ms);
    // It is the call itself that keeps a process alive.
    if (typeof timer === 'object') timer.unref?.();
  }

  #look(): void {
    const now = performance.now();
    for (const flight of [...this.#flights]) {
      if (flight.isSlow) continue;
      const left = flight.since + slow - now;
      // Timers count in whole milliseconds.
      if (left >= 1) {
        this.#lookIn(left);
        return;
      }
      flight.isSlow = true;
      flight.hooks.onSlow();
    }
  }
}
