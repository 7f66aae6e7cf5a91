import { buildConnector, Pool } from 'undici';
import type { TlsOptions } from '../options.js';
import type { HttpRequest } from './http.js';
import type { LeanExchange } from './lean-exchange.js';

/** The configuration of a pool. */
export interface LeanPoolConfig {
  readonly tls: TlsOptions;
  /** Until a connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** How many connections there may be; null: no bound. */
  readonly connections: number | null;
}

/** An idle connection is kept this long, ms: longer than most heartbeats. */
const keepAlive = 30_000;

/** The connections to one endpoint for one purpose. */
export class LeanPool {
  readonly #pool: Pool;
  /** Exchanges that still need a connection. */
  readonly #waiting = new Set<LeanExchange>();

  constructor(endpoint: string, { tls, connectTimeout, connections }: LeanPoolConfig) {
    const connect = buildConnector({ ...(tls as object), timeout: connectTimeout });
    this.#pool = new Pool(endpoint, {
      connections,
      // More than one in a row would let undici send a request again by itself.
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      // Limits are the transport's: undici's are coarse, and its body timeout would end a waiting watch.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        // After an abort undici would replace the connection that it cost, though nobody needs another.
        if (this.#waiting.size === 0) callback(new Error('no request waits for a connection'), null);
        else connect(options, callback);
      },
    });
  }

  /** Sends the request as soon as there is a connection. */
  dispatch({ method, path, form, authorization }: HttpRequest, exchange: LeanExchange): void {
    this.#waiting.add(exchange);
    exchange.onReleased = () => {
      this.#waiting.delete(exchange);
    };
    const headers: string[] = [];
    if (form !== undefined) headers.push('content-type', 'application/x-www-form-urlencoded');
    if (authorization !== undefined) headers.push('authorization', authorization);
    this.#pool.dispatch({ method, path, headers, body: form ?? null }, exchange);
  }

  /** Ends all connections. */
  close(): void {
    void this.#pool.destroy();
  }
}
