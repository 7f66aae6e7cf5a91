import {
  EMPTY,
  exhaustMap,
  interval,
  map,
  startWith,
  switchMap,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';

/** The configuration of {@link heartbeat}. */
export interface HeartbeatConfig<D, R> {
  /** Between two probes, in milliseconds; `false` probes once at the start and then on demand only. */
  period: number | false;
  /** Makes one probe; gets the demand that caused it, undefined at the start and when the interval did. */
  probe: (demand: D | undefined) => ObservableInput<R>;
  /** Times the interval. Default: timers that do not keep a process alive. */
  scheduler?: SchedulerLike;
}

/**
 * Probes at once, then at an interval, and whenever the source demands it.
 *
 * A demand restarts the interval. While a probe is under way neither the interval nor a demand starts another: probes
 * never overlap. An error of a probe errors the result, so a probe that may fail catches its own errors. When the
 * source completes, the interval goes on.
 *
 * @example
 * ```ts
 * import { heartbeat } from 'rxetcd';
 * import { defer, fromEvent } from 'rxjs';
 * const healthy$ = fromEvent(window, 'online').pipe(
 *   heartbeat({ period: 5_000, probe: () => defer(() => fetch('/health').then((r) => r.ok)) }),
 * );
 * ```
 */
export function heartbeat<D, R>(config: HeartbeatConfig<D, R>): OperatorFunction<D, R> {
  const { period, probe, scheduler = unrefScheduler } = config;
  const beats$ = period === false ? EMPTY : interval(period, scheduler).pipe(map(() => undefined));
  return (demand$) =>
    demand$.pipe(
      startWith(undefined),
      switchMap((demand) => beats$.pipe(startWith(demand))),
      exhaustMap(probe),
    );
}
