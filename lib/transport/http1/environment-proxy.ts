import { InvalidOptionError } from '../../errors.js';
import { isInNoProxy } from './no-proxy.js';
import type { Credentials } from '../secrets.js';
import { UnusableError } from '../unusable.js';

/** A proxy that the environment names. */
export interface EnvironmentProxy {
  /** As `http://proxy.example.com:3128`. */
  readonly origin: string;
  /** Decoded. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/**
 * The proxy for an endpoint: `HTTP_PROXY` or `HTTPS_PROXY` by its scheme, else `ALL_PROXY`, unless `NO_PROXY` names it;
 * lower-case names win. Without a scheme a proxy is `http`; its path is of no use. Undefined: the endpoint is asked
 * directly.
 *
 * @throws InvalidOptionError that names the variable, not its value
 */
export function environmentProxy(endpoint: string): EnvironmentProxy | undefined {
  const { protocol, hostname, port } = new URL(endpoint);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const found = variable(`${scheme}_proxy`) ?? variable('all_proxy');
  if (found === undefined) return undefined;
  const bypassed = variable('no_proxy')?.value ?? '';
  if (isInNoProxy(bypassed, hostname, port === '' ? (scheme === 'https' ? '443' : '80') : port))
    return undefined;
  return read(found.name, found.value);
}

/**
 * The same for a request.
 *
 * @throws UnusableError when the environment names a proxy that cannot be used
 */
export function proxyOf(endpoint: string): EnvironmentProxy | undefined {
  try {
    return environmentProxy(endpoint);
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    throw new UnusableError(error.message, { sent: false, lasting: true, toError: () => error });
  }
}

/** What the proxies of the environment are given, whoever they serve. */
export function proxyCredentials(): Credentials[] {
  return ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => {
    const found = variable(name);
    if (found === undefined) return [];
    try {
      const { credentials } = read(found.name, found.value);
      return credentials === undefined ? [] : [credentials];
    } catch {
      return [];
    }
  });
}

function read(name: string, value: string): EnvironmentProxy {
  const refuse = (expected: string): never => {
    throw new InvalidOptionError(`environment variable ${name}`, value, expected, { secret: true });
  };
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(text)) return refuse('host:port or a URL');
  const { protocol, hostname, origin, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:')
    return refuse(`an http or https proxy (${protocol.slice(0, -1)} is not supported)`);
  if (hostname === '') return refuse('host:port or a URL');
  if (username === '' && password === '') return { origin };
  try {
    const credentials = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    return { origin, credentials };
  } catch {
    return refuse('a user name and a password that are percent-encoded');
  }
}

function variable(name: string): { name: string; value: string } | undefined {
  for (const spelt of [name, name.toUpperCase()]) {
    const value = process.env[spelt]?.trim();
    if (value !== undefined && value !== '') return { name: spelt, value };
  }
  return undefined;
}

/** The Proxy-Authorization header. */
export const proxyAuthorization = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
