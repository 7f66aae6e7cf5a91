import type { Observable, Subscription } from 'rxjs';
import { ClientClosedError } from '../errors.js';
import { LinkedList, type Link } from '../util/linked-list.js';

/** A call, which ends when the client is closed. */
export interface Ending {
  closed(error: ClientClosedError): void;
}

/** Who needs the heartbeats now: they run as long as there is anybody. Calls are also told when the client is closed. */
export class Activity {
  readonly #heartbeats$: Observable<never>;
  readonly #calls = new Calls(() => {
    this.#leave();
  });
  #present = 0;
  #running: Subscription | undefined;
  #closed = false;

  constructor(heartbeats$: Observable<never>) {
    this.#heartbeats$ = heartbeats$;
  }

  /** Somebody comes; returns what lets him go. */
  enter(): () => void {
    this.#come();
    return () => {
      this.#leave();
    };
  }

  /** A call comes; its link lets it go, at once or again. Undefined: it is ended, as the client is closed. */
  call(call: Ending): Link<Ending> | undefined {
    if (this.#closed) {
      call.closed(new ClientClosedError());
      return undefined;
    }
    this.#come();
    return this.#calls.add(call);
  }

  /** Ends the calls that are there, and those that come. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls.toArray()) call.closed(new ClientClosedError());
  }

  #come(): void {
    this.#present += 1;
    if (this.#present === 1) this.#running = this.#heartbeats$.subscribe();
  }

  #leave(): void {
    this.#present -= 1;
    if (this.#present === 0) this.#running?.unsubscribe();
  }
}

/** Tells of each call that leaves. */
class Calls extends LinkedList<Ending> {
  readonly #left: () => void;

  constructor(left: () => void) {
    super();
    this.#left = left;
  }

  override remove(link: Link<Ending>): void {
    super.remove(link);
    this.#left();
  }
}
