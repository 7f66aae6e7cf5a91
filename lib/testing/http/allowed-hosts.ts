import { isIPv4 } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

/** Stands for every host. */
const everyHost = '*';

/**
 * The hosts that a server answers to, and whose pages it answers: this machine's loopback names, what it listens on, and those
 * that were named. Any page that a browser shows can send requests here, under a name of its own that leads here as well; only
 * what the browser says of the page, in `Host` and `Origin`, tells it from a program.
 */
export class AllowedHosts {
  readonly #all: boolean;
  readonly #named: ReadonlySet<string>;

  /** @param host what the server listens on @param named hosts besides, without ports; `*` for all */
  constructor(host: string, named: readonly string[]) {
    this.#all = named.includes(everyHost);
    this.#named = new Set([host, ...named].map((name) => hostOf(`http://${bracketed(name)}`) ?? name));
  }

  /** Why a request is refused; undefined if it is not. */
  refusal({ host, origin }: IncomingHttpHeaders): string | undefined {
    if (this.#all) return undefined;
    if (host !== undefined && !this.#allows(hostOf(`http://${host}`)))
      return refusalOf(`requests to the host ${host}`, host);
    if (origin !== undefined && !this.#allows(hostOf(origin)))
      return refusalOf(`pages of the origin ${origin}`, origin);
    return undefined;
  }

  #allows(host: string | undefined): boolean {
    return host !== undefined && (isLoopback(host) || this.#named.has(host));
  }
}

/** Whether a text can be the name of a host, without scheme, port or path; `*` is one. */
export const isHostName = (text: string): boolean =>
  text === everyHost || (/^[^\s/@?#\\]+$/.test(text) && hostOf(`http://${bracketed(text)}:1/`) !== undefined);

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

const bracketed = (name: string): string =>
  name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;

/** As browsers write a host: in lower case, numbers as addresses; undefined for what is no URL. */
function hostOf(url: string): string | undefined {
  if (!/^https?:\/\/[^/@?#\\]+\/?$/i.test(url) || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/\.$/, '') || undefined;
}

function refusalOf(what: string, given: string): string {
  const name = hostOf(given.includes('://') ? given : `http://${given}`) ?? everyHost;
  return `the embedded etcd answers no ${what}: only loopback names, and the hosts of the option allowedHosts (rxetcd-dev --allow-host ${name})`;
}
