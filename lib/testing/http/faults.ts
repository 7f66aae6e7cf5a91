import type { Socket } from 'node:net';
import { EMPTY, defer, delay, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import type { Reply } from './reply.js';

/** An answer given in place of the server's own. */
export interface CannedAnswer {
  readonly status: number;
  /** Default: empty. */
  readonly body?: string;
  /** Default: `application/json`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong with a server's answers on purpose. */
export class Faults {
  readonly #canned: CannedAnswer[] = [];
  #resets = 0;
  #delay = 0;

  /** Resets the connections of the next requests before anything is done. */
  reset(times = 1): void {
    this.#resets = times;
  }

  /** Holds each answer back, from its headers on, though what was asked for is done at once; 0 ends it. @param ms */
  delay(ms: number): void {
    this.#delay = ms;
  }

  /** Answers the next request with this; given twice, the next two. Nothing else is done for it. */
  answerOnce(answer: CannedAnswer): void {
    this.#canned.push(answer);
  }

  /** Ends all of them. */
  clear(): void {
    this.#canned.length = 0;
    this.#resets = 0;
    this.#delay = 0;
  }

  /** @internal Lets a request through, or not. */
  through$(socket: Socket, answer$: () => Observable<Reply>): Observable<Reply> {
    if (this.#resets > 0) {
      this.#resets -= 1;
      socket.resetAndDestroy();
      return EMPTY;
    }
    const canned = this.#canned.shift();
    const reply$ = canned === undefined ? defer(answer$) : of(cannedReply(canned));
    return this.#delay > 0 ? reply$.pipe(delay(this.#delay, unrefScheduler)) : reply$;
  }
}

const cannedReply = ({ status, body = '', headers }: CannedAnswer): Reply => ({
  status,
  body,
  headers: headers ?? { 'Content-Type': 'application/json' },
});
