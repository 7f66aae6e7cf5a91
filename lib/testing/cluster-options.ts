import { check, checkOptions, demand } from '../check.js';
import type { Timing } from './cluster/consensus.js';
import { isHostName } from './http/allowed-hosts.js';
import type { Clock } from './store/clock.js';

/** The options of `EmbeddedEtcd` and `EmbeddedCluster`. */
export interface EmbeddedClusterOptions extends Partial<Timing> {
  /** What the members listen on: an address or a name of this machine. Default: `127.0.0.1`. */
  host?: string;
  /** The first member's port; the others take the next ones. Default: 0, a free one for each. */
  port?: number;
  /**
   * Names and addresses, without ports, by which the members may be called besides `host` and loopback (`localhost`, `127.0.0.0/8`,
   * `[::1]`), and whose pages may ask them; `'*'` allows all, as a real etcd does. Everything else is refused with 403, lest any
   * page that is open in a browser reads and writes here. Default: none.
   */
  allowedHosts?: readonly string[];
  /**
   * This process is there for the members alone, as a development server's is. Default: false, and where nothing else keeps the
   * process running for 5 s, a line on stderr says once where they were started: a test forgot to end them.
   */
  alone?: boolean;
  /** Where the time comes from, TTLs above all. Default: the machine's. */
  clock?: Clock;
}

const maxPort = 65_535;

/** Throws `InvalidOptionError`. */
export function checkClusterOptions(size: number, options: EmbeddedClusterOptions): void {
  demand('size', size, (v) =>
    Number.isSafeInteger(v) && (v as number) >= 1
      ? undefined
      : 'a number of members: an integer of 1 or more',
  );
  const last = maxPort + 1 - size;
  checkOptions('', options, {
    host: (v) => (typeof v === 'string' && v !== '' ? undefined : 'a host name or an address'),
    port: (v) =>
      Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= last
        ? undefined
        : `a port: an integer of 0 to ${String(last)}`,
    electionTimeout: check.milliseconds,
    requestTimeout: check.milliseconds,
    allowedHosts: (v) =>
      Array.isArray(v) && v.every((name) => typeof name === 'string' && isHostName(name))
        ? undefined
        : "an array of host names or addresses without ports, or ['*']",
    alone: check.boolean,
    clock: (v) =>
      typeof v === 'object' && v !== null && 'now' in v && typeof v.now === 'function'
        ? undefined
        : 'an object with a function now()',
  });
}
