import { defer, EMPTY, Observable } from 'rxjs';
import type { EventBus } from '../insight/events.js';
import type { Abilities } from './abilities.js';
import type { Settings } from '../options.js';
import { Exchange, type ExchangeContext } from './http1/exchange.js';
import { PartReceiver, WholeReceiver, type Receiver } from './http1/receiver.js';
import { isForKnown, type HttpPart, type HttpRequest, type HttpResponse } from './http.js';
import type { OtherTabs } from './http1/other-tabs.js';
import { createPlatform } from '#platform/transport/platform.js';
import type { Platform } from './platform.js';
import { Limits } from '../util/limits.js';
import { Secrets } from './secrets.js';
import { withheld } from './transport-error.js';
import type { Vouch } from './vouched.js';

/** An exchange as its call sees it, while it is under way. */
export interface Underway {
  /** Since when an answer is due (`performance.now()`); undefined while it waits for a connection. */
  readonly since: number | undefined;
  /** Whether the request may have reached the server; undefined where that cannot be told. */
  readonly sent: boolean | undefined;
}

/** What a call and its exchange know of each other. */
export interface Trace {
  /** When the call is over (`performance.now()`): what was not written by then is not to be. Default: never. */
  readonly due?: number;
  /** Set by the transport. */
  exchange?: Underway | undefined;
}

/** Whether the request may have reached the server. */
export const wasSent = ({ exchange }: Trace): boolean =>
  // A transport that cannot tell whether it has sent may have.
  exchange !== undefined && (exchange.sent ?? true);

/** HTTP exchanges as Observables. Each subscription is one exchange; unsubscribing aborts it. */
export class Transport {
  readonly #platform: Platform;
  readonly #context: ExchangeContext;
  /** Hides the client's credentials in what is told. */
  readonly secrets: Secrets;

  constructor(settings: Settings, events: EventBus) {
    this.#platform = createPlatform(settings, (endpoint) => defer(() => this.vouch$(endpoint)));
    this.secrets = new Secrets(settings.auth, this.#platform.proxies);
    this.#context = {
      events,
      secrets: this.secrets,
      maxResponseBytes: settings.maxResponseBytes,
      answered: new Set(),
      limits: new Limits(),
      diagnose: this.#platform.diagnose,
    };
  }

  /** Asked of each endpoint before credentials go there; set by whoever knows. Default: all are trusted. */
  trusts: (endpoint: string) => boolean = () => true;

  /** The same of each new connection to an endpoint that was found; set by whoever can tell. Default: all are. */
  vouch$: Vouch = () => EMPTY;

  /** What its connections can do. */
  get abilities(): Abilities {
    return this.#platform.abilities;
  }

  /** Who shares its connections, where these are few; a request may then wait for one unseen. */
  get tabs(): OtherTabs | undefined {
    return this.#platform.tabs;
  }

  /** Emits the complete answer. Errors with a TransportError, at the latest when `timeout` has passed. */
  exchange$(request: HttpRequest, trace?: Trace): Observable<HttpResponse> {
    return this.read$(request, (response) => response, trace);
  }

  /** The same, and emits what is read of the answer; errors with what the reader throws. */
  read$<T>(request: HttpRequest, read: (response: HttpResponse) => T, trace?: Trace): Observable<T> {
    return new Observable((subscriber) => this.#run(request, new WholeReceiver(subscriber, read), trace));
  }

  /**
   * Reads the head as soon as it is there, then the body in pieces, and at last that it has ended; emits what is read,
   * errors with what the reader throws. `timeout` limits the wait for the head; with any status but 200, that for the
   * whole answer.
   */
  parts$<T>(request: HttpRequest, read: (part: HttpPart) => T): Observable<T> {
    return new Observable((subscriber) => this.#run(request, new PartReceiver(subscriber, read)));
  }

  /** The endpoint is none any more: what is kept of it goes, its connections once they are idle. */
  forget(endpoint: string): void {
    this.#context.answered.delete(endpoint);
    this.#platform.forget(endpoint);
  }

  /** Ends all connections. */
  close(): void {
    this.#platform.close();
    this.#context.limits.close();
  }

  /** Begins an exchange; returns what aborts it. */
  #run(request: HttpRequest, receiver: Receiver, trace?: Trace): () => void {
    const exchange = new Exchange(request, this.#context, receiver, trace?.due);
    if (trace !== undefined) trace.exchange = exchange;
    try {
      if (isForKnown(request) && !this.trusts(request.endpoint)) throw withheld();
      this.#platform.send(exchange);
      exchange.begun();
    } catch (thrown) {
      exchange.failed(thrown);
    }
    return () => {
      exchange.abort();
    };
  }
}
