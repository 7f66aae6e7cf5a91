import type { Limited, Limits } from '../../util/limits.js';
import type { Link } from '../../util/linked-list.js';
import type { EventBus } from '../../insight/events.js';
import type { HttpHeaders, HttpRequest, HttpResponse } from '../http.js';
import type { Receiver } from './receiver.js';
import { limitPassed } from '../late.js';
import { tooLarge } from '../refusals.js';
import { DeadlinePassed, toTransportError, TransportError } from '../transport-error.js';
import type { Secrets } from '../secrets.js';
import type { Stage, Wire } from './wire.js';

const encoder = new TextEncoder();

/** So much is shown of what an interceptor, or whoever else, has thrown. */
const maxMessage = 500;

/** So many turns of the event loop may still bring pieces of an answer whose limit has passed. */
const lateTurns = 64;

/** What all exchanges of a transport share. */
export interface ExchangeContext {
  readonly events: EventBus;
  /** Hides credentials in what is told of an answer. */
  readonly secrets: Secrets;
  /** How many bytes an answer may have, unless its request says otherwise. */
  readonly maxResponseBytes: number;
  /** Endpoints that have answered: what they are asked in is what they speak. */
  readonly answered: Set<string>;
  readonly limits: Limits;
  /** What is wrong with an endpoint that resets all connections, if that can be told. */
  readonly diagnose?: ((endpoint: string) => Promise<TransportError | undefined>) | undefined;
}

/** One exchange under way: keeps its time, tells its events, and ends once. */
export class Exchange implements Wire, Limited {
  readonly request: HttpRequest;
  onAbort: (() => void) | undefined;
  readonly #context: ExchangeContext;
  readonly #receiver: Receiver;
  readonly #due: number;
  readonly #startedAt = performance.now();
  #limit: Link<Limited> | undefined;
  #stage: Stage = 'unknown';
  /** Since when its time counts. */
  #since = this.#startedAt;
  /** Pieces of the body that have come. */
  #pieces = 0;
  /** Bytes of the body; of one in lines, of the line that has not ended. */
  #bytes = 0;
  #over = false;
  /** The piece of a line that has not been shown: what is hidden may be cut anywhere. */
  #unshown = '';
  #status: number | undefined;

  /** @param due after which it is not written any more (`performance.now()`) */
  constructor(request: HttpRequest, context: ExchangeContext, receiver: Receiver, due = Infinity) {
    this.request = request;
    this.#due = due;
    this.#context = context;
    this.#receiver = receiver;
    const { events } = context;
    events.emit(() => ({ type: 'request', ...described(request) }));
    events.emitBody(() => ({
      ...described(request),
      direction: 'sent',
      body: this.#told(request.body ?? ''),
    }));
  }

  /** Whether the request may have reached the server; undefined where that cannot be told. */
  get sent(): boolean | undefined {
    return this.#stage === 'unknown' ? undefined : this.#stage === 'written';
  }

  /** Since when an answer is due (`performance.now()`); undefined while the request waits for a connection. */
  get since(): number | undefined {
    return this.#stage === 'waiting' ? undefined : this.#since;
  }

  get maxBytes(): number {
    return this.request.maxBytes ?? this.#context.maxResponseBytes;
  }

  get inParts(): boolean {
    return this.#receiver.inParts;
  }

  mayBeWritten(): boolean {
    // Whoever has waited for a connection may get it before any timer is looked at.
    if (!this.#over && performance.now() >= this.#due) {
      this.failed(new DeadlinePassed());
      this.onAbort?.();
    }
    return !this.#over;
  }

  /** Its sender has it: what cannot tell how far it has come counts from now. */
  begun(): void {
    if (this.#stage === 'unknown') this.reached('unknown');
  }

  reached(stage: Stage): void {
    // What was handed to a connection once may have arrived, whatever becomes of it later.
    if (this.#over || this.#stage === 'written') return;
    this.#stage = stage;
    // A probe, or what waits for events, stands in no line: its time counts from the start.
    const hasLine = this.request.pool === 'command';
    if (!hasLine && this.#limit !== undefined) return;
    this.#stopLimit();
    if (hasLine && stage === 'waiting') return;
    this.#since = performance.now();
    this.#limit = this.#context.limits.add(this, this.request.timeout);
  }

  takes(piece: Uint8Array | string): boolean {
    if (this.#over) return false;
    this.#pieces += 1;
    if (this.#fits(typeof piece === 'string' ? encoder.encode(piece) : piece)) return true;
    this.failed(tooLarge(this.maxBytes, this.request.operation, this.#status));
    this.onAbort?.();
    return false;
  }

  head(status: number, headers: HttpHeaders): void {
    if (this.#over) return;
    this.#status = status;
    if (!this.inParts) return;
    if (status === 200) this.#stopLimit();
    this.#receiver.part({ type: 'head', status, headers });
  }

  text(text: string): void {
    if (this.#over || text === '') return;
    this.#showPart(text);
    this.#receiver.part({ type: 'text', text });
  }

  done(response: HttpResponse): void {
    this.#context.answered.add(this.request.endpoint);
    this.#status = response.status;
    if (!this.#end()) return;
    this.#showAnswer(this.#unshown + response.body);
    this.#receiver.done(response);
  }

  failed(thrown: unknown): void {
    if (this.#over) return;
    const error = this.#discreet(toTransportError(thrown, this.sent));
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

  /** When its limit passes, if it has one by now. */
  get limitAt(): number {
    return this.#since + this.request.timeout;
  }

  /** The limit has passed; what lies in the socket is still read. */
  passed(turns = lateTurns): void {
    const [limit, pieces] = [this.#limit, this.#pieces];
    limitPassed(this.limitAt, () => {
      if (this.#limit !== limit) return;
      if (this.#pieces > pieces && turns > 0) this.passed(turns - 1);
      else this.#timeOut();
    });
  }

  #timeOut(): void {
    const { timeout } = this.request;
    const error =
      this.#stage === 'connecting'
        ? new TransportError('connect', `no connection within ${timeout} ms`, false)
        : new TransportError('timeout', `timed out after ${timeout} ms`, this.sent ?? true, timeout);
    if (!this.#end(error)) return;
    this.onAbort?.();
    this.#receiver.error(error);
  }

  /** Counts a piece; false if the answer, or a line of it, is larger than it may be. */
  #fits(piece: Uint8Array): boolean {
    const { count } = this.request;
    this.#bytes =
      count !== undefined && this.#status === 200
        ? count(this.#bytes, piece, this.maxBytes)
        : this.#bytes + piece.length;
    return this.#bytes <= this.maxBytes;
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
      status: this.#status,
      error: error?.message,
      durationMs: performance.now() - this.#startedAt,
    }));
    return true;
  }

  /** A watch may stand for days: it keeps no timer that has been cleared. */
  #stopLimit(): void {
    this.#limit?.leave();
    this.#limit = undefined;
  }

  /** What an interceptor threw may tell of the request. */
  #discreet(error: TransportError): TransportError {
    const message = this.#told(error.message).slice(0, maxMessage);
    if (message === error.message) return error;
    // Only its words change; its stack begins with them.
    error.stack = this.#told(error.stack ?? '');
    error.message = message;
    return error;
  }

  #told(text: string): string {
    return this.#context.secrets.mask(text, this.request);
  }

  #showPart(text: string): void {
    if (!this.#context.events.bodiesObserved) return;
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) this.#showAnswer(this.#unshown + text.slice(0, end));
    this.#unshown = end > 0 ? text.slice(end) : this.#unshown + text;
  }

  #showAnswer(body: string): void {
    this.#context.events.emitBody(() => ({
      ...described(this.request),
      direction: 'received',
      status: this.#status,
      body: this.#told(body),
    }));
  }
}

type Described = Pick<HttpRequest, 'operation' | 'endpoint' | 'method' | 'path'>;

/** A request as events may show it: the query holds values. */
function described({ operation, endpoint, method, path }: HttpRequest): Described {
  return { operation, endpoint, method, path: path.split('?')[0] ?? '' };
}
