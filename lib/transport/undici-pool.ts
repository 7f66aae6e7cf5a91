import { getProxyForUrl } from 'proxy-from-env';
import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { TlsOptions } from '../options.js';
import { requestHeaders, type HttpRequest } from './http.js';
import type { UndiciExchange } from './undici-exchange.js';

/** The configuration of a pool. */
export interface UndiciPoolConfig {
  readonly tls: TlsOptions;
  /** Until a connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** How many connections there may be; null: no bound. */
  readonly connections: number | null;
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
 * The connections to one endpoint for one purpose; through a proxy where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`
 * say so.
 */
export class UndiciPool {
  readonly #endpoint: string;
  readonly #dispatcher: Dispatcher;
  /** Exchanges that still need a connection. */
  #waiting = 0;

  constructor(endpoint: string, config: UndiciPoolConfig) {
    this.#endpoint = endpoint;
    const proxy = getProxyForUrl(endpoint);
    this.#dispatcher = proxy === '' ? this.#direct(config) : throughProxy(proxy, config);
  }

  /** Sends the request as soon as there is a connection. */
  dispatch(request: HttpRequest, exchange: UndiciExchange): void {
    this.#waiting += 1;
    exchange.onReleased = () => {
      this.#waiting -= 1;
    };
    const { method, path, body = null } = request;
    const headers = requestHeaders(request);
    this.#dispatcher.dispatch({ origin: this.#endpoint, method, path, headers, body }, exchange);
  }

  /** Ends all connections. */
  close(): void {
    void this.#dispatcher.destroy();
  }

  #direct({ tls, connectTimeout, connections }: UndiciPoolConfig): Dispatcher {
    const connect = telling(buildConnector({ ...(tls as object), timeout: connectTimeout }));
    return new Pool(this.#endpoint, {
      ...limits,
      connections,
      connect: (options, callback) => {
        // After an abort undici would replace the connection that it cost, though nobody needs another.
        if (this.#waiting === 0) callback(new Error('no request waits for a connection'), null);
        else connect(options, callback);
      },
    });
  }
}

/** Plain http is forwarded by the proxy; for https it makes a tunnel, and TLS is spoken with the endpoint. */
function throughProxy(uri: string, { tls, connectTimeout, connections }: UndiciPoolConfig): Dispatcher {
  return new ProxyAgent({
    uri,
    proxyTunnel: false,
    requestTls: { ...(tls as object), timeout: connectTimeout },
    proxyTls: { timeout: connectTimeout },
    factory: (origin, options) => {
      const { connect, ...rest } = options as { connect: buildConnector.connector };
      return new Pool(origin, { ...rest, ...limits, connections, connect: telling(connect) });
    },
  });
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
