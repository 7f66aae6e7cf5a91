import type { ClientEvent } from './events.js';

/** Between two lines on watches that are lost, or are back, there is at least this time, ms. */
const pause = 1_000;
/** While watches stay lost it doubles with each line, up to this, ms. */
const longestPause = 5 * 60_000;

/** What a log says of an event: at which level, if that hangs on others, and what else, of several watches together. */
export interface Remark {
  readonly level?: 'debug' | 'info' | 'warn';
  readonly more?: string;
}

type WatchEvent = Extract<ClientEvent, { readonly type: `watch-${string}` }>;
type Lost = Extract<WatchEvent, { readonly type: 'watch-lost' }>;

const quiet: Remark = { level: 'debug' };

/**
 * Which watches of a client are lost, and what a log says of that: each loss once, then at growing intervals that it
 * lasts, at last that they are back. What befalls many at the same time is one line on the first and one on all others,
 * for a thousand watches may be lost at once, each of which tries again and again.
 */
export class LostWatches {
  /** Since when, by the number of the watch, ms. */
  readonly #since = new Map<number, number>();
  /** Lost since the last line on losses. */
  #untold = 0;
  #toldAt = -Infinity;
  #pause = pause;
  /** Back since the last line on that, and the longest of their absences, ms. */
  #back = 0;
  #longest = 0;
  #backToldAt = -Infinity;
  /** Since when no member can be reached. */
  #downSince: Date | undefined;

  /** Takes note of an event; of a watch that is lost or live: what to say of it. */
  saw(event: ClientEvent): Remark {
    switch (event.type) {
      case 'watch-lost':
        return this.#lost(event);
      case 'watch-live':
        if (event.durationMs === undefined) return quiet;
        this.#since.delete(event.id);
        return this.#isBack(event.at.getTime(), event.durationMs);
      case 'watch-ended':
        this.#since.delete(event.id);
        if (this.#since.size === 0) this.#calm();
        break;
      case 'cluster-down':
        this.#downSince = event.since;
        break;
      case 'cluster-up':
        this.#downSince = undefined;
    }
    return {};
  }

  #lost({ id, at, durationMs = 0, key, endpoint, reason }: Lost): Remark {
    const now = at.getTime();
    const isNew = !this.#since.has(id);
    if (isNew) {
      this.#since.set(id, now - durationMs);
      this.#untold += 1;
    }
    if (now - this.#toldAt < (this.#untold > 0 ? pause : this.#pause)) return quiet;
    this.#toldAt = now;
    const one = this.#since.size === 1 || (isNew && this.#untold === 1);
    // Only what lasts is told less and less often.
    if (this.#untold === 0 || !one) this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#untold = 0;
    if (one) return { level: 'warn' };
    const longest = now - Math.min(...this.#since.values());
    const down =
      this.#downSince === undefined
        ? ''
        : `, no member can be reached since ${this.#downSince.toISOString()}`;
    return {
      level: 'warn',
      more:
        `${this.#since.size} watches are lost, the longest for ${longest.toFixed(0)} ms${down}; ` +
        `the latest: ${id} ${key} at ${endpoint}: ${reason}`,
    };
  }

  #isBack(now: number, durationMs: number): Remark {
    this.#back += 1;
    this.#longest = Math.max(this.#longest, durationMs);
    const isLast = this.#since.size === 0;
    if (!isLast && now - this.#backToldAt < pause) return quiet;
    const [count, longest] = [this.#back, this.#longest];
    this.#backToldAt = now;
    this.#back = this.#longest = 0;
    if (isLast) this.#calm();
    return count === 1
      ? { level: 'info' }
      : { level: 'info', more: `${count} watches are back, after up to ${longest.toFixed(0)} ms` };
  }

  /** None is lost any more. */
  #calm(): void {
    this.#untold = this.#back = this.#longest = 0;
    this.#pause = pause;
  }
}
