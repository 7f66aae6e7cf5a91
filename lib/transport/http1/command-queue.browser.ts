import { browserAbilities } from '../abilities.js';
import type { Sender, Wire } from './wire.js';

/** So many are left for what must not wait: it shows whether the server is still there. */
const reserve = 1;

interface Line {
  /** Commands that the browser has. */
  readonly sent: Set<Wire>;
  readonly waiting: Set<Wire>;
}

/**
 * Holds commands back, unsent, while the connections of their endpoint are taken: what the browser has it may keep in a
 * queue of its own, and nobody could tell any more whether it was sent. Over https there may be HTTP/2, which needs but
 * one connection.
 */
export class CommandQueue {
  readonly #lines = new Map<string, Line>();
  readonly #send: Sender;
  readonly #polls: (endpoint: string) => number;

  /**
   * @param send hands a request to the browser
   * @param polls how many polls are under way at an endpoint
   */
  constructor(send: Sender, polls: (endpoint: string) => number) {
    this.#send = send;
    this.#polls = polls;
  }

  /** Sends it as soon as it may be. */
  send(wire: Wire): void {
    const { endpoint, pool } = wire.request;
    if (pool !== 'command' || endpoint.startsWith('https:')) {
      this.#send(wire);
      return;
    }
    const { waiting } = this.#line(endpoint);
    wire.reached('waiting');
    waiting.add(wire);
    wire.onAbort = () => {
      waiting.delete(wire);
    };
    this.next(endpoint);
  }

  /** An exchange is over. */
  ended(wire: Wire): void {
    const { endpoint } = wire.request;
    if (this.#lines.get(endpoint)?.sent.delete(wire) === true) this.next(endpoint);
  }

  /** The endpoint is none any more. What still waits there, or is with the browser, ends as it would. */
  forget(endpoint: string): void {
    const line = this.#lines.get(endpoint);
    if (line !== undefined && line.sent.size + line.waiting.size === 0) this.#lines.delete(endpoint);
  }

  /** Sends what may be sent now. */
  next(endpoint: string): void {
    const { sent, waiting } = this.#line(endpoint);
    const room = Math.max(1, browserAbilities.connectionsPerHost - reserve - this.#polls(endpoint));
    while (sent.size < room) {
      const [wire] = waiting;
      if (wire === undefined) return;
      waiting.delete(wire);
      if (!wire.mayBeWritten()) continue;
      sent.add(wire);
      // From here on nobody knows.
      wire.reached('unknown');
      this.#send(wire);
      // An adapter of the user's own may take no notice.
      const abort = wire.onAbort;
      wire.onAbort = () => {
        abort?.();
        this.ended(wire);
      };
    }
  }

  #line(endpoint: string): Line {
    const known = this.#lines.get(endpoint);
    if (known !== undefined) return known;
    const made: Line = { sent: new Set(), waiting: new Set() };
    this.#lines.set(endpoint, made);
    return made;
  }
}
