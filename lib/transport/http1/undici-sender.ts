import type { TlsOptions } from '../../options.js';
import { isForKnown, type HttpRequest } from '../http.js';
import { UndiciExchange } from './undici-exchange.js';
import { UndiciPool } from './undici-pool.js';
import type { Vouch } from '../vouched.js';
import type { Sender } from './wire.js';

/** The configuration of the sender over undici. */
export interface UndiciSenderConfig {
  readonly tls: TlsOptions;
  /** Until a connection stands, in milliseconds. */
  readonly connectTimeout: number;
  /** Connections for commands to one endpoint. */
  readonly commandConnections: number;
  /** Endpoints of the options; all others were found. */
  readonly endpoints: readonly string[];
  /** Asked about each new connection to a found endpoint before credentials go over it. */
  readonly vouch$: Vouch;
}

/**
 * Sends over undici's dispatch, without a stream or a pipeline in between: whoever wants axios's interceptors brings an
 * instance, and pays for them then. One pool of connections per endpoint for commands, and one without bound for what
 * waits: parked requests slow the pool that they are in. Credentials for an endpoint that was found go over connections
 * of their own: somebody vouches for each of these after it was made, which is what the others are for.
 */
export function createUndiciSender(config: UndiciSenderConfig): {
  send: Sender;
  forget: (endpoint: string) => void;
  close: () => void;
} {
  const noPools = (): Record<HttpRequest['pool'], Map<string, UndiciPool>> => ({
    command: new Map(),
    watch: new Map(),
  });
  const open = noPools();
  const vouchedFor = noPools();
  const all = [...Object.values(open), ...Object.values(vouchedFor)];
  const bounds = { command: config.commandConnections, watch: null };
  const configured = new Set(config.endpoints);
  const poolOf = (request: HttpRequest): UndiciPool => {
    const { pool: kind, endpoint } = request;
    const needsVoucher = isForKnown(request) && !configured.has(endpoint);
    const pools = (needsVoucher ? vouchedFor : open)[kind];
    const known = pools.get(endpoint);
    if (known !== undefined) return known;
    const vouch$ = needsVoucher ? config.vouch$(endpoint) : undefined;
    const pool = new UndiciPool(endpoint, { ...config, connections: bounds[kind], vouch$ });
    pools.set(endpoint, pool);
    return pool;
  };

  return {
    send: (wire) => {
      poolOf(wire.request).dispatch(wire.request, new UndiciExchange(wire));
    },
    forget: (endpoint) => {
      for (const pools of all) {
        pools.get(endpoint)?.end();
        pools.delete(endpoint);
      }
    },
    close: () => {
      for (const pools of all) {
        for (const pool of pools.values()) pool.close();
        pools.clear();
      }
    },
  };
}
