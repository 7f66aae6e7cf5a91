import { Readable } from 'node:stream';
import type { Observable, Subscription } from 'rxjs';

/** A request's body that goes on: it ends when its source completes, and leaves the source when its request is over. */
export class OpenBody extends Readable {
  readonly #subscription: Subscription;

  constructor(first: string, rest$: Observable<string>) {
    super({ encoding: 'utf8' });
    // What ends its request is told by the request.
    this.on('error', () => undefined);
    if (first !== '') this.push(first);
    this.#subscription = rest$.subscribe({
      next: (piece) => this.push(piece),
      error: (error: unknown) => this.destroy(error as Error),
      complete: () => this.push(null),
    });
  }

  override _read(): void {
    // Whatever comes is pushed: it is little, and waits here if the connection is slow.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#subscription.unsubscribe();
    done(error);
  }
}
