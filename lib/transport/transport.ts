import { Observable } from 'rxjs';
import type { EventBus } from '../events.js';
import type { Settings } from '../options.js';
import type { HttpPart, HttpRequest, HttpResponse } from './http.js';
import { createPlatform, type Platform } from './platform.js';
import { toTransportError, TransportError } from './transport-error.js';
import { Wire } from './wire.js';

/** How far an exchange has come; can be asked while it is under way. */
export interface Trace {
  /** Whether the request may have reached the server. */
  sent: () => boolean;
}

interface Receiver {
  readonly done: (response: HttpResponse) => void;
  readonly error: (error: TransportError) => void;
  /** Set when the answer is wanted in parts. */
  readonly part?: (part: HttpPart) => void;
}

/** HTTP exchanges as Observables. Each subscription is one exchange; unsubscribing aborts it. */
export class Transport {
  readonly #platform: Platform;
  readonly #events: EventBus;

  constructor(settings: Settings, events: EventBus) {
    this.#platform = createPlatform(settings);
    this.#events = events;
  }

  /** Answers can be had piece by piece while they come. */
  get streams(): boolean {
    return this.#platform.streams;
  }

  /** Emits the complete answer. Errors with a TransportError, at the latest when `timeout` has passed. */
  exchange$(request: HttpRequest, trace?: Trace): Observable<HttpResponse> {
    return new Observable((subscriber) => {
      const wire = new Wire(request);
      // A transport that cannot tell whether it has sent may have.
      if (trace !== undefined) trace.sent = () => wire.sent ?? true;
      return this.#run(wire, {
        done: (response) => {
          subscriber.next(response);
          subscriber.complete();
        },
        error: (error) => {
          subscriber.error(error);
        },
      });
    });
  }

  /**
   * Emits the head as soon as it is there, then the body in pieces. `timeout` limits the wait for the head; with any
   * status but 200, that for the whole answer.
   */
  parts$(request: HttpRequest): Observable<HttpPart> {
    return new Observable((subscriber) =>
      this.#run(new Wire(request), {
        part: (part) => {
          subscriber.next(part);
        },
        done: () => {
          subscriber.complete();
        },
        error: (error) => {
          subscriber.error(error);
        },
      }),
    );
  }

  /** Ends all connections. */
  close(): void {
    this.#platform.close();
  }

  /** Runs one exchange; returns what aborts it. */
  #run(wire: Wire, receiver: Receiver): () => void {
    const { request } = wire;
    const startedAt = performance.now();
    let over = false;
    let status: number | undefined;

    /** False if the exchange had ended before. */
    const end = (error?: TransportError): boolean => {
      if (over) return false;
      over = true;
      clearTimeout(limit);
      this.#report(request, startedAt, status, error);
      return true;
    };
    const limit = setTimeout(() => {
      const message = `timed out after ${String(request.timeout)} ms`;
      const error = new TransportError('timeout', message, wire.sent ?? true, request.timeout);
      if (!end(error)) return;
      wire.abort();
      receiver.error(error);
    }, request.timeout);

    if (receiver.part !== undefined) {
      wire.onHead = (code, headers) => {
        if (over) return;
        status = code;
        if (code === 200) clearTimeout(limit);
        receiver.part?.({ type: 'head', status: code, headers });
      };
      wire.onText = (text) => {
        if (over || text === '') return;
        this.#showAnswer(request, status, text);
        receiver.part?.({ type: 'text', text });
      };
    }
    this.#events.emit(() => ({ type: 'request', ...described(request) }));
    this.#events.emitBody(() => ({ ...described(request), direction: 'sent', body: request.body ?? '' }));
    this.#platform.send(wire).then(
      (response) => {
        status = response.status;
        if (!end()) return;
        this.#showAnswer(request, status, response.body);
        receiver.done(response);
      },
      (thrown: unknown) => {
        const error = toTransportError(thrown, wire.sent);
        if (end(error)) receiver.error(error);
      },
    );
    return () => {
      // Most exchanges are over by now; an error is costly to make.
      if (over) return;
      if (end(new TransportError('other', 'aborted', wire.sent ?? true))) wire.abort();
    };
  }

  #showAnswer(request: HttpRequest, status: number | undefined, body: string): void {
    this.#events.emitBody(() => ({
      ...described(request),
      direction: 'received',
      ...(status === undefined ? {} : { status }),
      body,
    }));
  }

  #report(
    request: HttpRequest,
    startedAt: number,
    status: number | undefined,
    error: TransportError | undefined,
  ): void {
    this.#events.emit(() => ({
      type: 'response',
      ...described(request),
      ...(status === undefined ? {} : { status }),
      ...(error === undefined ? {} : { error: error.message }),
      durationMs: performance.now() - startedAt,
    }));
  }
}

type Described = Pick<HttpRequest, 'operation' | 'endpoint' | 'method' | 'path'>;

/** A request as events may show it: the query holds values. */
function described({ operation, endpoint, method, path }: HttpRequest): Described {
  return { operation, endpoint, method, path: path.split('?')[0] ?? '' };
}
