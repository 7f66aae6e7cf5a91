import type { Observable } from 'rxjs';
import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { TlsOptions } from '../../options.js';
import { proxyAuthorization, proxyOf, type EnvironmentProxy } from './environment-proxy.js';
import { requestHeaders, type HttpRequest } from '../http.js';
import { nodeHeaders } from './node-headers.js';
import { TransportError } from '../transport-error.js';
import { OpenBody } from './open-body.js';
import type { UndiciExchange } from './undici-exchange.js';
import { vouched } from '../vouched.js';

/** The configuration of a pool. */
export interface UndiciPoolConfig {
  readonly tls: TlsOptions;
  /** Until a connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** How many connections there may be; null: no bound. */
  readonly connections: number | null;
  /** Completes once somebody vouches for who is at the other end of a new connection. Default: nobody is asked. */
  readonly vouch$?: Observable<never> | undefined;
}

const limits = {
  // More than one in a row would let undici send a request again by itself.
  pipelining: 1,
  // Longer than most heartbeats, ms.
  keepAliveTimeout: 30_000,
  // Limits are the transport's: undici's are coarse, and its body timeout would end a waiting watch.
  headersTimeout: 0,
  bodyTimeout: 0,
};

/**
 * The connections to one endpoint for one purpose; through a proxy where the environment says so: plain http is forwarded
 * by the proxy, for https it makes a tunnel, and TLS is spoken with the endpoint.
 */
export class UndiciPool {
  readonly #endpoint: string;
  readonly #dispatcher: Dispatcher;
  /** What a request says besides its own headers. */
  readonly #headers: Readonly<Record<string, string>>;
  /** What comes before the path in the request's line. */
  readonly #prefix: string;
  /** Exchanges that still need a connection. */
  #waiting = 0;

  /** @throws UnusableError when the environment names a proxy that cannot be used */
  constructor(endpoint: string, config: UndiciPoolConfig) {
    this.#endpoint = endpoint;
    const proxy = proxyOf(endpoint);
    const forwards = proxy !== undefined && endpoint.startsWith('http:');
    this.#prefix = forwards ? endpoint : '';
    this.#headers = {
      ...nodeHeaders,
      ...(forwards ? { host: new URL(endpoint).host } : {}),
      ...(forwards && proxy.credentials !== undefined
        ? { 'proxy-authorization': proxyAuthorization(proxy.credentials) }
        : {}),
    };
    if (proxy === undefined) this.#dispatcher = this.#pool(endpoint, config, config.tls);
    // TLS with the proxy itself is no affair of the options, which are for the endpoint.
    else this.#dispatcher = forwards ? this.#pool(proxy.origin, config, {}) : this.#tunnels(proxy, config);
  }

  /** Sends the request as soon as there is a connection. */
  dispatch(request: HttpRequest, exchange: UndiciExchange): void {
    this.#waiting += 1;
    exchange.onReleased = () => {
      this.#waiting -= 1;
    };
    const { method, body = null, rest$ } = request;
    const path = this.#prefix + request.path;
    const headers = { ...this.#headers, ...requestHeaders(request) };
    const sent = { origin: this.#endpoint, method, path, headers };
    if (rest$ === undefined) {
      this.#dispatcher.dispatch({ ...sent, body }, exchange);
      return;
    }
    exchange.openBody = new OpenBody(body ?? '', rest$);
    // On a connection that is kept Go's server answers nothing before the body has ended.
    this.#dispatcher.dispatch({ ...sent, body: exchange.openBody, reset: true }, exchange);
  }

  /** Ends each connection once it is idle. */
  end(): void {
    void this.#dispatcher.close();
  }

  /** Ends all connections. */
  close(): void {
    void this.#dispatcher.destroy();
  }

  #pool(origin: string, config: UndiciPoolConfig, tls: TlsOptions): Dispatcher {
    const { connectTimeout, connections } = config;
    const connect = buildConnector({ ...(tls as object), timeout: connectTimeout });
    return new Pool(origin, { ...limits, connections, connect: this.#wanted(connect, config) });
  }

  #tunnels({ origin, credentials }: EnvironmentProxy, config: UndiciPoolConfig): Dispatcher {
    const { tls, connectTimeout, connections } = config;
    return new ProxyAgent({
      uri: origin,
      ...(credentials === undefined ? {} : { token: proxyAuthorization(credentials) }),
      requestTls: { ...(tls as object), timeout: connectTimeout },
      proxyTls: { timeout: connectTimeout },
      factory: (to, options) => {
        const { connect, ...rest } = options as { connect: buildConnector.connector };
        const tunnel = this.#wanted(limited(connect, connectTimeout), config);
        return new Pool(to, { ...rest, ...limits, connections, connect: tunnel });
      },
    });
  }

  /** After an abort undici would replace the connection that it cost, though nobody needs another. */
  #wanted(connect: buildConnector.connector, { vouch$ }: UndiciPoolConfig): buildConnector.connector {
    const told = telling(connect);
    const whole = vouch$ === undefined ? told : vouched(told, vouch$);
    return (options, callback) => {
      if (this.#waiting === 0) callback(new Error('no request waits for a connection'), null);
      else whole(options, callback);
    };
  }
}

/** A proxy that takes a connection and never answers is given up like one that takes none. */
function limited(connect: buildConnector.connector, ms: number): buildConnector.connector {
  return (options, callback) => {
    // Its own connection and the handshake with the endpoint have limits of their own.
    const signal = AbortSignal.timeout(2 * ms);
    connect({ ...options, signal } as buildConnector.Options, (...result) => {
      if (result[0] === null || !signal.aborted) callback(...result);
      else callback(new TransportError('connect', 'the proxy made no tunnel in time', false), null);
    });
  };
}

/**
 * Lets a connection tell why it ended: an alert that comes after the handshake, as about a client certificate, is the
 * reason that counts, and undici would give one of its own.
 */
function telling(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [, socket] = result;
      socket?.prependOnceListener('error', () => {
        socket.destroy();
      });
      callback(...result);
    });
  };
}
