import { parseArgs } from 'node:util';
import { isHostName } from '../http/allowed-hosts.js';

/** What `rxetcd-dev` was asked for. */
export interface DevArguments {
  readonly help: boolean;
  readonly host: string;
  /** The first member's port; 0: free ones. */
  readonly port: number;
  readonly members: number;
  /** Hosts besides loopback and the one listened on. */
  readonly allowedHosts: readonly string[];
}

/** The highest port there is. */
const lastPort = 65_535;
/** More say nothing that these do not. */
const mostMembers = 9;

export const usage = `rxetcd-dev [--port 2379] [--members 1] [--host 127.0.0.1] [--allow-host NAME]...

Serves the v2 HTTP API of etcd until Ctrl-C. For development and tests, not for production: everything is in memory,
and gone at the end.

  --port N      the first member's port, the others take the next ones; 0: free ones (default 2379)
  --members N   1 to ${mostMembers} (default 1)
  --host HOST   where to listen (default 127.0.0.1, which only this machine reaches)
  --allow-host NAME
                a name or an address by which others may call it, and whose pages may ask it; * for all. Without it
                only loopback names and HOST, so that no page in a browser reads and writes here. May be repeated
  --help        this`;

/** @throws Error that says which argument is wrong, and how */
export function readArguments(args: readonly string[]): DevArguments {
  const { values } = parse(args);
  const members = wholeNumber('members', values.members ?? '1', 1, mostMembers);
  const allowedHosts = values['allow-host'] ?? [];
  const wrong = allowedHosts.find((name) => !isHostName(name));
  if (wrong !== undefined)
    throw new Error(`--allow-host ${wrong}: expected a host name or an address without a port, or *`);
  return {
    help: values.help ?? false,
    host: values.host ?? '127.0.0.1',
    port: wholeNumber('port', values.port ?? '2379', 0, lastPort - members + 1),
    members,
    allowedHosts,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        members: { type: 'string' },
        host: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Its first sentence names the argument; the others advise on quoting.
    const [said] = (error as Error).message.split(/\. |\n/);
    throw new Error(said);
  }
}

function wholeNumber(name: string, given: string, least: number, most: number): number {
  const number = /^\d+$/.test(given) ? Number(given) : NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`--${name} ${given}: expected a whole number from ${least} to ${most}`);
}
