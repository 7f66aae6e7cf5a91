import type { Observable, Subscription } from 'rxjs';
import { ClientClosedError } from '../errors.js';
import { LinkedList } from '../util/linked-list.js';

/** Who needs the heartbeats now: they run as long as there is anybody. Calls are also told when the client is closed. */
export class Activity {
  readonly #heartbeats$: Observable<never>;
  readonly #calls = new LinkedList<(error: ClientClosedError) => void>();
  #present = 0;
  #running: Subscription | undefined;
  #closed = false;

  constructor(heartbeats$: Observable<never>) {
    this.#heartbeats$ = heartbeats$;
  }

  /** Somebody comes; returns what lets him go. */
  enter(): () => void {
    this.#present += 1;
    if (this.#present === 1) this.#running = this.#heartbeats$.subscribe();
    return () => {
      this.#present -= 1;
      if (this.#present === 0) this.#running?.unsubscribe();
    };
  }

  /** A call comes, which `end` ends; returns what lets it go, at once or again. */
  call(end: (error: ClientClosedError) => void): () => void {
    if (this.#closed) {
      end(new ClientClosedError());
      return () => undefined;
    }
    const leave = this.enter();
    const remove = this.#calls.add(end);
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      remove();
      leave();
    };
  }

  /** Ends the calls that are there, and those that come. */
  close(): void {
    this.#closed = true;
    for (const end of this.#calls.toArray()) end(new ClientClosedError());
  }
}
