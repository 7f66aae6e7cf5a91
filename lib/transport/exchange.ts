import type { EventBus } from '../events.js';
import type { HttpHeaders, HttpRequest, HttpResponse } from './http.js';
import type { Receiver } from './receiver.js';
import { toTransportError, TransportError } from './transport-error.js';
import type { Wire } from './wire.js';

/** What all exchanges of a transport share. */
export interface ExchangeContext {
  readonly events: EventBus;
  /** Endpoints that have answered: what they are asked in is what they speak. */
  readonly answered: Set<string>;
  /** What is wrong with an endpoint that resets all connections, if that can be told. */
  readonly diagnose?: ((endpoint: string) => Promise<TransportError | undefined>) | undefined;
}

/** One exchange under way: keeps its time, tells its events, and ends once. */
export class Exchange implements Wire {
  readonly request: HttpRequest;
  sent: boolean | undefined;
  onAbort: (() => void) | undefined;
  readonly #context: ExchangeContext;
  readonly #receiver: Receiver;
  readonly #startedAt = performance.now();
  #limit: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #status: number | undefined;

  constructor(request: HttpRequest, context: ExchangeContext, receiver: Receiver) {
    this.request = request;
    this.#context = context;
    this.#receiver = receiver;
    const { events } = context;
    events.emit(() => ({ type: 'request', ...described(request) }));
    events.emitBody(() => ({ ...described(request), direction: 'sent', body: request.body ?? '' }));
    this.#limit = setTimeout(() => {
      this.#timeOut();
    }, request.timeout);
  }

  get inParts(): boolean {
    return this.#receiver.inParts;
  }

  get over(): boolean {
    return this.#over;
  }

  head(status: number, headers: HttpHeaders): void {
    if (this.#over) return;
    this.#status = status;
    if (status === 200) this.#stopLimit();
    this.#receiver.part({ type: 'head', status, headers });
  }

  text(text: string): void {
    if (this.#over || text === '') return;
    this.#showAnswer(text);
    this.#receiver.part({ type: 'text', text });
  }

  done(response: HttpResponse): void {
    this.#context.answered.add(this.request.endpoint);
    this.#status = response.status;
    if (!this.#end()) return;
    this.#showAnswer(response.body);
    this.#receiver.done(response);
  }

  failed(thrown: unknown): void {
    if (this.#over) return;
    const error = toTransportError(thrown, this.sent);
    const { endpoint } = this.request;
    const { answered, diagnose } = this.#context;
    if (error.kind !== 'reset' || diagnose === undefined || answered.has(endpoint)) this.#fail(error);
    else
      diagnose(endpoint).then(
        (found) => {
          this.#fail(found ?? error);
        },
        () => {
          this.#fail(error);
        },
      );
  }

  /** Ends it without an answer. */
  abort(): void {
    // Most exchanges are over by now; an error is costly to make.
    if (this.#over) return;
    this.#end(new TransportError('other', 'aborted', this.sent ?? true));
    this.onAbort?.();
  }

  #timeOut(): void {
    const { timeout } = this.request;
    const message = `timed out after ${String(timeout)} ms`;
    const error = new TransportError('timeout', message, this.sent ?? true, timeout);
    if (!this.#end(error)) return;
    this.onAbort?.();
    this.#receiver.error(error);
  }

  #fail(error: TransportError): void {
    if (this.#end(error)) this.#receiver.error(error);
  }

  /** False if it had ended before. */
  #end(error?: TransportError): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#stopLimit();
    this.#context.events.emit(() => ({
      type: 'response',
      ...described(this.request),
      ...(this.#status === undefined ? {} : { status: this.#status }),
      ...(error === undefined ? {} : { error: error.message }),
      durationMs: performance.now() - this.#startedAt,
    }));
    return true;
  }

  /** A watch may stand for days: it keeps no timer that has been cleared. */
  #stopLimit(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
  }

  #showAnswer(body: string): void {
    this.#context.events.emitBody(() => ({
      ...described(this.request),
      direction: 'received',
      ...(this.#status === undefined ? {} : { status: this.#status }),
      body,
    }));
  }
}

type Described = Pick<HttpRequest, 'operation' | 'endpoint' | 'method' | 'path'>;

/** A request as events may show it: the query holds values. */
function described({ operation, endpoint, method, path }: HttpRequest): Described {
  return { operation, endpoint, method, path: path.split('?')[0] ?? '' };
}
