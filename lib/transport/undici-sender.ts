import type { TlsOptions } from '../options.js';
import type { HttpRequest } from './http.js';
import { UndiciExchange } from './undici-exchange.js';
import { UndiciPool } from './undici-pool.js';
import type { Sender } from './wire.js';

/** The configuration of the sender over undici. */
export interface UndiciSenderConfig {
  readonly tls: TlsOptions;
  /** Until a connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** Connections for commands to one endpoint. */
  readonly commandConnections: number;
}

/**
 * Sends over undici's dispatch, without a stream or a pipeline in between: whoever wants axios's interceptors brings an
 * instance, and pays for them then. One pool of connections per endpoint for commands, and one without bound for what
 * waits: parked requests slow the pool that they are in.
 */
export function createUndiciSender(config: UndiciSenderConfig): {
  send: Sender;
  forget: (endpoint: string) => void;
  close: () => void;
} {
  const pools = { command: new Map<string, UndiciPool>(), watch: new Map<string, UndiciPool>() };
  const bounds = { command: config.commandConnections, watch: null };
  const poolOf = ({ pool: kind, endpoint }: HttpRequest): UndiciPool => {
    const known = pools[kind].get(endpoint);
    if (known !== undefined) return known;
    const pool = new UndiciPool(endpoint, { ...config, connections: bounds[kind] });
    pools[kind].set(endpoint, pool);
    return pool;
  };

  return {
    send: (wire) => {
      poolOf(wire.request).dispatch(wire.request, new UndiciExchange(wire));
    },
    forget: (endpoint) => {
      for (const kind of [pools.command, pools.watch]) {
        kind.get(endpoint)?.end();
        kind.delete(endpoint);
      }
    },
    close: () => {
      for (const pool of [...pools.command.values(), ...pools.watch.values()]) pool.close();
      pools.command.clear();
      pools.watch.clear();
    },
  };
}
