import type { EmbeddedCluster } from '../embedded-cluster.js';
import { ListenError } from '../http/listen-error.js';
import type { DevArguments } from './dev-arguments.js';

/** Hosts that stand for every address of this machine, and what to call it by. */
const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/** What is said when the members serve. */
export function greeting(
  { members }: EmbeddedCluster,
  host: string,
  allowedHosts: readonly string[],
): string {
  const name = everywhere[host];
  const urls = members.map(({ url }) => (name === undefined ? url : `http://${name}:${new URL(url).port}`));
  const [first = ''] = urls;
  return [
    'An etcd for development and tests, not for production: everything is in memory. Ctrl-C ends it.',
    ...(name === undefined ? [] : [whoMayCome(allowedHosts)]),
    '',
    ...members.map((member, i) => `${member.name}  ${urls[i] ?? ''}`),
    '',
    `ETCD_ENDPOINTS=${urls.join(',')}`,
    `curl ${first}/v2/keys/hello -XPUT -d value=world`,
  ].join('\n');
}

/** Why it could not start, and what may help. */
export function whyNot(error: Error, { port, members }: DevArguments): string {
  const ports = members === 1 ? '' : ` ${members} members need the ports ${port} to ${port + members - 1}.`;
  const hint = `.${ports} Choose another --port, or --port 0 for free ones`;
  const isTaken = error instanceof ListenError && error.code === 'EADDRINUSE';
  return `${error.message}${isTaken ? hint : ''}`;
}

const whoMayCome = (allowedHosts: readonly string[]): string =>
  allowedHosts.length === 0
    ? 'Everybody who reaches this machine can connect; by which name they may call it, --allow-host NAME says.'
    : `Everybody who reaches this machine and calls it ${allowedHosts.join(' or ')} can read and write it.`;
