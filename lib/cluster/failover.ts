import {
  delayWhen,
  of,
  retry,
  take,
  throwError,
  throwIfEmpty,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { backoff } from '../util/backoff.js';

/** What to do after a failure: ask the next member, wait for the new leader, or give up. */
export type FailoverStep = 'next' | 'leader' | 'fail';

/** The configuration of {@link failover}. */
export interface FailoverConfig {
  /** Chooses the step after a failure; `retries` counts those already made. */
  decide: (error: unknown, retries: number) => FailoverStep;
  /** Emits when a live leader is named, at once if one is. Needed for the step `'leader'`. */
  leader$?: Observable<unknown>;
  /** How many members are asked one after the other before a delay. Default 1. */
  members?: () => number;
  /** Retries after the first try. Default: no limit. */
  max?: number;
  /** The first delay, in milliseconds. Default 50. */
  initialDelay?: number;
  /** The longest delay, in milliseconds. Default 2000. */
  maxDelay?: number;
  /** Gives the jitter, 0 to 1. Default `Math.random`. */
  random?: () => number;
  /** Times the delays. Default: rxjs's asyncScheduler. */
  scheduler?: SchedulerLike;
}

/**
 * A `retry` that knows a cluster: after a failure it subscribes the source again, at once for the next member, with a
 * growing jittered delay once all members were asked, or when the new leader is named (from the second retry on with a
 * growing delay as well).
 *
 * The source picks its member each time it is subscribed (`defer`). What may not be repeated is for `decide` to say;
 * on `'fail'`, or after `max` retries, the error goes through unchanged.
 *
 * @example
 * ```ts
 * import { failover } from 'rxetcd';
 * import { defer } from 'rxjs';
 * const urls = ['http://a:2379', 'http://b:2379', 'http://c:2379'];
 * let turn = 0;
 * const version$ = defer(() => fetch(`${urls[turn++ % urls.length]}/version`).then((r) => r.json())).pipe(
 *   failover({ decide: () => 'next', members: () => urls.length, max: 8 }),
 * );
 * ```
 */
export function failover<T>(config: FailoverConfig): MonoTypeOperatorFunction<T> {
  return retry<T>({ delay: pauseAfter(config) });
}

/** What is waited for after that failure, the `count`th: emits when it is time to try again, errors if it never is. */
export type Pause = (error: unknown, count: number) => Observable<unknown>;

/** The pauses of {@link failover}, for who repeats by itself. */
export function pauseAfter(config: FailoverConfig): Pause {
  const { decide, leader$, members = () => 1, max = Infinity, initialDelay = 50, maxDelay = 2_000 } = config;
  const { random, scheduler } = config;
  return (error, count) => {
    const step = count > max ? 'fail' : decide(error, count - 1);
    if (step === 'fail') return throwError(() => error);
    if (step === 'leader' && leader$ !== undefined) {
      const named$ = leader$.pipe(
        take(1),
        throwIfEmpty(() => error),
      );
      if (count === 1) return named$;
      const pause = backoff(count - 2, { initialDelay, maxDelay }, random);
      return named$.pipe(delayWhen(() => timer(pause, scheduler)));
    }
    const round = Math.floor(count / members());
    if (count % members() !== 0) return of(0);
    return timer(backoff(round - 1, { initialDelay, maxDelay }, random), scheduler);
  };
}
