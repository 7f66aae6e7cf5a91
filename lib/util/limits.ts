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
  readonly #queues = new Map<number, Queue>();

  /** Something begins that may take so long, ms; what is returned lets go of it. */
  add(limited: Limited, ms: number): Link<Limited> {
    let queue = this.#queues.get(ms);
    if (queue === undefined) {
      queue = new Queue(ms, () => this.#queues.delete(ms));
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
  readonly #gone: () => void;
  #timer!: ReturnType<typeof setTimeout>;
  #isHeld = true;

  /** @param gone called when its timer has found nothing */
  constructor(ms: number, gone: () => void) {
    super();
    this.#gone = gone;
    this.#lookIn(ms);
  }

  override add(limited: Limited): Link<Limited> {
    this.#hold(true);
    return super.add(limited);
  }

  override remove(link: Link<Limited>): void {
    super.remove(link);
    if (this.first === undefined) this.#hold(false);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#look();
    }, ms);
    this.#isHeld = true;
  }

  #look(): void {
    const now = performance.now();
    let link = this.first;
    while (link !== undefined && link.value.limitAt - now < least) {
      link.leave();
      link.value.passed();
      link = this.first;
    }
    if (link === undefined) this.#gone();
    else this.#lookIn(Math.ceil(link.value.limitAt - now));
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
