import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

/** One piece of scheduled work; like rxjs's own actions it may schedule itself again, and ends when it does not. */
class UnrefAction<T> extends Subscription implements SchedulerAction<T> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #work: Work<T>;

  constructor(work: Work<T>) {
    super(() => {
      clearTimeout(this.#timer);
    });
    this.#work = work;
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this;
    clearTimeout(this.#timer);
    const timer = setTimeout(() => {
      this.#run(state);
    }, delay);
    // A browser's timers are numbers and keep nothing alive.
    if (typeof timer === 'object') timer.unref();
    this.#timer = timer;
    return this;
  }

  #run(state?: T): void {
    const due = this.#timer;
    this.#work.call(this, state);
    if (this.#timer === due) this.unsubscribe();
  }
}

/**
 * Like rxjs's `asyncScheduler`, on timers that never keep a process alive by themselves. For the heartbeat and for
 * grace times; work that a caller waits for uses the ordinary scheduler.
 */
export const unrefScheduler: SchedulerLike = {
  now: () => Date.now(),
  schedule: <T>(work: Work<T>, delay?: number, state?: T): Subscription =>
    new UnrefAction(work).schedule(state, delay),
};
