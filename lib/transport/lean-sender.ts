import type { TlsOptions } from '../options.js';
import type { HttpRequest } from './http.js';
import { LeanExchange } from './lean-exchange.js';
import { LeanPool } from './lean-pool.js';
import type { Sender } from './wire.js';

/** The configuration of the lean sender. */
export interface LeanSenderConfig {
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
export function createLeanSender(config: LeanSenderConfig): { send: Sender; close: () => void } {
  const pools = { command: new Map<string, LeanPool>(), watch: new Map<string, LeanPool>() };
  const bounds = { command: config.commandConnections, watch: null };
  const poolOf = ({ pool: kind, endpoint }: HttpRequest): LeanPool => {
    const known = pools[kind].get(endpoint);
    if (known !== undefined) return known;
    const pool = new LeanPool(endpoint, { ...config, connections: bounds[kind] });
    pools[kind].set(endpoint, pool);
    return pool;
  };

  return {
    send: (wire) => {
      poolOf(wire.request).dispatch(wire.request, new LeanExchange(wire));
    },
    close: () => {
      for (const pool of [...pools.command.values(), ...pools.watch.values()]) pool.close();
      pools.command.clear();
      pools.watch.clear();
    },
  };
}
