import { Observable, Subscription, tap, timer } from 'rxjs';
import type { OtherTabs, Slot } from '../transport/http1/other-tabs.js';
import type { LegItem } from './leg-item.js';
import { slotTimeMs } from './timing.js';

/** So many legs may stand side by side at an endpoint where connections are scarce. */
export const scarceLegs = 4;

interface Running {
  readonly since: number;
  readonly yield: () => void;
}

interface Waiting {
  readonly since: number;
  readonly start: () => void;
}

/** The legs at one endpoint. */
interface Queue {
  readonly endpoint: string;
  /** The oldest first. */
  readonly running: Set<Running>;
  readonly waiting: Waiting[];
  settles: boolean;
  /** What the other tabs know. */
  told: readonly Slot[];
}

/**
 * A browser has six connections to one host and port for all its pages: of more parked polls than four, commands would
 * wait for ever. Legs beyond that take turns: one that has waited for a second ends the oldest other, which chains its
 * next leg at the end of the queue. As polls go on from their positions, nothing is lost.
 *
 * Tabs of one origin take turns with each other: each knows the slots of all, and who came first goes first. Where two
 * began at once, before they had heard of each other, the later one makes room.
 */
export class ConnectionSlots {
  readonly #most: number;
  readonly #tabs: OtherTabs | undefined;
  readonly #queues = new Map<string, Queue>();

  /**
   * @param most legs side by side at one endpoint
   * @param tabs who else takes them. Default: nobody
   */
  constructor(most: number, tabs?: OtherTabs) {
    this.#most = most;
    this.#tabs = tabs;
    tabs?.listen((endpoint, asked) => {
      const queue = this.#queues.get(endpoint);
      if (queue === undefined) return;
      this.#trim(queue);
      if (asked) this.#rotate(queue);
      this.#settle(queue);
    });
  }

  /** Runs the leg when it is its turn; says so if it has to wait. */
  take$<E>(endpoint: string, leg$: Observable<LegItem<E>>): Observable<LegItem<E>> {
    return new Observable((subscriber) => {
      const queue = this.#queue(endpoint);
      const { running, waiting } = queue;
      const own = new Subscription();

      const run = (): void => {
        const slot: Running = {
          since: moment(),
          yield: () => {
            subscriber.next({ type: 'end' });
            subscriber.complete();
          },
        };
        running.add(slot);
        own.add(() => {
          running.delete(slot);
          this.#settle(queue);
        });
        own.add(
          leg$
            .pipe(
              // Before the next leg asks for a slot: it need not wait if nobody else does.
              tap((item) => {
                if (item.type === 'end') running.delete(slot);
              }),
            )
            .subscribe(subscriber),
        );
      };
      const since = moment();
      this.#settle(queue);
      if (waiting.length === 0 && this.#isFree(queue, since)) {
        run();
        return own;
      }
      const place: Waiting = {
        since,
        start: () => {
          nudge.unsubscribe();
          run();
        },
      };
      // The first in the queue asks the oldest to make room; those behind it follow in their turn.
      const nudge = timer(slotTimeMs, slotTimeMs).subscribe({
        next: () => {
          if (waiting[0] !== place) return;
          this.#tabs?.ask(endpoint);
          this.#rotate(queue);
          this.#settle(queue);
        },
        // A timer never errors.
        error: () => undefined,
      });
      waiting.push(place);
      own.add(nudge);
      own.add(() => {
        const at = waiting.indexOf(place);
        if (at >= 0) waiting.splice(at, 1);
        this.#settle(queue);
      });
      subscriber.next({ type: 'waiting', endpoint });
      return own;
    });
  }

  /** Whether there is a slot for who has waited since then: those who run, and other tabs' who wait for longer, have theirs. */
  #isFree({ endpoint, running }: Queue, since: number): boolean {
    const others = this.#tabs?.slots(endpoint) ?? [];
    const before = others.filter((slot) => slot.running || slot.since < since);
    return running.size + before.length < this.#most;
  }

  /** Later: whoever waits may be on the way out, too. */
  #settle(queue: Queue): void {
    if (queue.settles) return;
    queue.settles = true;
    queueMicrotask(() => {
      queue.settles = false;
      const { endpoint, running, waiting } = queue;
      for (
        let [first] = waiting;
        first !== undefined && this.#isFree(queue, first.since);
        [first] = waiting
      ) {
        waiting.shift();
        first.start();
      }
      const isOver = running.size === 0 && waiting.length === 0;
      if (isOver && this.#queues.get(endpoint) === queue) this.#queues.delete(endpoint);
      if (this.#tabs === undefined) return;
      const slots = [
        ...[...running].map(({ since }) => ({ since, running: true })),
        ...waiting.map(({ since }) => ({ since, running: false })),
      ];
      // What is no news nobody is told: all would answer.
      if (slots.length === queue.told.length && slots.every((slot, i) => isSame(slot, queue.told[i]))) return;
      queue.told = slots;
      this.#tabs.tell(endpoint, slots);
    });
  }

  /** While somebody waits, the oldest of all makes room if it has had its time. */
  #rotate({ endpoint, running, waiting }: Queue): void {
    const [oldest] = running;
    if (oldest === undefined || Date.now() - oldest.since < slotTimeMs) return;
    const others = this.#tabs?.slots(endpoint) ?? [];
    const isWaited = waiting.length > 0 || others.some((slot) => !slot.running);
    if (isWaited && !others.some((slot) => slot.running && slot.since < oldest.since)) oldest.yield();
  }

  /** More run than may: those that began last make room. */
  #trim({ endpoint, running }: Queue): void {
    const others = this.#tabs?.slots(endpoint) ?? [];
    for (const [i, slot] of [...running].entries()) {
      const before = others.filter((other) => other.running && other.since < slot.since);
      if (i + before.length >= this.#most) slot.yield();
    }
  }

  #queue(endpoint: string): Queue {
    const known = this.#queues.get(endpoint);
    if (known !== undefined) return known;
    const made: Queue = { endpoint, running: new Set(), waiting: [], settles: false, told: [] };
    this.#queues.set(endpoint, made);
    return made;
  }
}

const isSame = (a: Slot, b: Slot | undefined): boolean => a.since === b?.since && a.running === b.running;

/** Now, and never the same for two. */
const moment = (): number => Date.now() - Math.random();
