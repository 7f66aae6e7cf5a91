import { LinkedList, type Link } from './linked-list.js';

/** What has a limit of time. */
export interface Limited {
  /** When its limit passes (`performance.now()`). */
  readonly limitAt: number;
  /** The limit has passed. */
  passed(): void;
}

/** Timers count in whole milliseconds. */
const least = 1;

/**
 * The limits of many things at once, most of which are over before them: of all that may take equally long the oldest alone
 * has a timer, and what is over leaves it as it is. The timer keeps a process alive while anything is there.
 */
export class Limits {
  readonly #usual: number;
  readonly #queues = new Map<number, Queue>();

  /** @param usual how long most may take, ms: their timer may stand by while nothing is there */
  constructor(usual: number) {
    this.#usual = usual;
  }

  /** Something begins that may take so long, ms; what is returned lets go of it. */
  add(limited: Limited, ms: number): Link<Limited> {
    let queue = this.#queues.get(ms);
    if (queue === undefined) {
      const gone = ms === this.#usual ? undefined : () => this.#queues.delete(ms);
      queue = new Queue(ms, gone);
      this.#queues.set(ms, queue);
    }
    return queue.add(limited);
  }

  /** Ends all timers: nothing passes any more. */
  close(): void {
    for (const queue of this.#queues.values()) queue.stop();
    this.#queues.clear();
  }
}

/** All that may take equally long, in the order in which their limits pass. */
class Queue extends LinkedList<Limited> {
  readonly #ms: number;
  readonly #gone: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;

  /** @param gone called when nothing is there any more. Default: its timer stands by */
  constructor(ms: number, gone: (() => void) | undefined) {
    super();
    this.#ms = ms;
    this.#gone = gone;
  }

  override add(limited: Limited): Link<Limited> {
    if (this.#timer === undefined) this.#lookIn(this.#ms);
    else this.#hold(true);
    return super.add(limited);
  }

  override remove(link: Link<Limited>): void {
    super.remove(link);
    if (this.first !== undefined) return;
    if (this.#gone === undefined) this.#hold(false);
    else {
      this.stop();
      this.#gone();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, ms);
    this.#isHeld = true;
  }

  #look(): void {
    const now = performance.now();
    for (let link = this.first; link !== undefined; link = this.first) {
      const left = link.value.limitAt - now;
      if (left >= least) {
        if (this.#timer === undefined) this.#lookIn(Math.ceil(left));
        return;
      }
      link.leave();
      link.value.passed();
    }
  }

  /** Whether the timer keeps a process alive; a browser's are numbers, and keep nothing. */
  #hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (typeof this.#timer !== 'object') return;
    if (isHeld) this.#timer.ref();
    else this.#timer.unref();
  }
}
