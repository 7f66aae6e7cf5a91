import { BlockList, isIP } from 'node:net';

/**
 * Whether `NO_PROXY` names a host: by its name or that of a parent domain (a dot or `*.` before it changes nothing), an
 * address, or the network that it lies in as `10.0.0.0/8`, each with a port or without. `*` names all.
 *
 * @param host as in a URL's `hostname`
 * @param list separated by commas or blanks
 */
export function isInNoProxy(list: string, host: string, port: string): boolean {
  const name = bare(host);
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const { host: named, port: only } = split(entry.toLowerCase());
    return named !== '' && (only === undefined || only === port) && covers(named, name);
  });
}

function covers(named: string, name: string): boolean {
  const family = isIP(name);
  const [network = '', prefix] = named.split('/');
  const kind = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  if (prefix !== undefined && isIP(network) !== 0) {
    const most = kind === 'ipv6' ? 128 : 32;
    if (family === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > most) return false;
    const block = new BlockList();
    block.addSubnet(network, Number(prefix), kind);
    return block.check(name, family === 6 ? 'ipv6' : 'ipv4');
  }
  if (family !== 0) {
    if (isIP(named) === 0) return false;
    const block = new BlockList();
    block.addAddress(named, kind);
    return block.check(name, family === 6 ? 'ipv6' : 'ipv4');
  }
  const domain = named.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && (name === domain || name.endsWith(`.${domain}`));
}

/** An entry and its port; an IPv6 address with a port stands in brackets. */
function split(entry: string): { host: string; port?: string } {
  if (isIP(entry) !== 0 || entry.includes('/')) return { host: entry };
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  return { host: bare(host), ...(port === undefined ? {} : { port }) };
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
