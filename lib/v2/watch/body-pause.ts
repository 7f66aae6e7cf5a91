import type { Subscriber } from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';
import { bodyPauseMs } from './timing.js';

/**
 * The pauses within an answer that has begun to arrive. Made when its first piece comes: what holds the rest back may never let
 * it go, so that who waits for it gets an error once nothing has come for too long.
 */
export class BodyPause {
  readonly #subscriber: Subscriber<unknown>;
  readonly #limitMs: number;
  #heardAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(subscriber: Subscriber<unknown>, limitMs: number) {
    this.#subscriber = subscriber;
    this.#limitMs = limitMs;
    subscriber.add(() => {
      this.ends();
    });
  }

  /** A piece has come, and more is to come behind it. */
  goesOn(): void {
    this.#heardAt = performance.now();
    this.#timer ??= this.#lookIn(this.#limitMs);
  }

  /** Nothing more is waited for. */
  ends(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Whether so little comes that it is worth asking once more. */
  get isLong(): boolean {
    return performance.now() - this.#heardAt >= bodyPauseMs;
  }

  #lookIn(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const left = this.#heardAt + this.#limitMs - performance.now();
      if (left > 0) this.#timer = this.#lookIn(left);
      else this.#subscriber.error(new MemberLeft('its answer stopped in the middle'));
    }, ms);
  }
}
