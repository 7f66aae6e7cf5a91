import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AxiosInstance } from 'axios';
import type { Settings } from '../options.js';
import { nodeAbilities, type Abilities } from './abilities.js';
import { axiosProxy } from './http1/axios-proxy.js';
import { axiosSender } from './http1/axios-sender.js';
import { garbled } from './http1/compressed.js';
import { environmentProxy, proxyCredentials } from './http1/environment-proxy.js';
import { nodeHeaders } from './http1/node-headers.js';
import { toldAgent } from './http1/told-agent.js';
import type { OtherTabs } from './http1/other-tabs.js';
import { createUndiciSender } from './http1/undici-sender.js';
import type { Credentials } from './secrets.js';
import { speaksHttp } from './http1/speaks-http.js';
import { speaksTls } from './http1/speaks-tls.js';
import { TransportError } from './transport-error.js';
import type { Vouch } from './vouched.js';
import type { Sender } from './http1/wire.js';

/** Commands in flight to one endpoint; more wait for a free connection. */
const commandConnections = 128;

/** What differs between Node and a browser. */
export interface Platform {
  readonly send: Sender;
  readonly abilities: Abilities;
  /** Who shares its connections, where these are few; a request may then wait for one unseen. */
  readonly tabs?: OtherTabs;
  /** What is wrong with an endpoint that has never answered and resets connections, if that can be told. */
  readonly diagnose?: (endpoint: string) => Promise<TransportError | undefined>;
  /** What the proxies of the environment are given. */
  readonly proxies?: () => readonly Credentials[];
  /** Ends the connections to one endpoint, each once it is idle. */
  readonly forget: (endpoint: string) => void;
  /** Ends all connections. */
  readonly close: () => void;
}

/** The settings that a platform is made from. */
export type PlatformSettings = Pick<Settings, 'axios' | 'tls' | 'connectTimeout' | 'endpoints'>;

/**
 * In Node: undici, or the user's own axios instance over keep-alive agents.
 *
 * @param vouch$ asked about connections to endpoints that were found; not of those that an axios instance makes
 * @throws InvalidOptionError when the environment names a proxy for an endpoint that cannot be used
 */
export function createPlatform(settings: PlatformSettings, vouch$: Vouch): Platform {
  const platform =
    settings.axios === undefined ? undiciPlatform(settings, vouch$) : ownPlatform(settings.axios, settings);
  const closed = new AbortController();
  return {
    ...platform,
    proxies: proxyCredentials,
    diagnose: (endpoint) => otherScheme(endpoint, closed.signal),
    close: () => {
      closed.abort();
      platform.close();
    },
  };
}

/** Says so if the port speaks the other of http and https. */
async function otherScheme(endpoint: string, closed: AbortSignal): Promise<TransportError | undefined> {
  const isPlain = endpoint.startsWith('http:');
  if (!(await (isPlain ? speaksTls(endpoint, closed) : speaksHttp(endpoint, closed)))) return undefined;
  const why = isPlain
    ? 'the port speaks TLS: the endpoint is https, not http'
    : 'the port speaks no TLS: the endpoint is http, not https';
  return new TransportError('tls', why, false);
}

function undiciPlatform({ tls, connectTimeout, endpoints }: PlatformSettings, vouch$: Vouch): Platform {
  endpoints.forEach(environmentProxy);
  const sender = createUndiciSender({ tls, connectTimeout, commandConnections, endpoints, vouch$ });
  return { ...sender, abilities: nodeAbilities };
}

function ownPlatform(instance: AxiosInstance, { tls }: PlatformSettings): Platform {
  const agents = (maxSockets: number): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } => ({
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
    httpsAgent: new HttpsAgent({ ...(tls as object), keepAlive: true, maxSockets }),
  });
  const pools = { command: agents(commandConnections), watch: agents(Infinity) };
  const own = instance.defaults as { httpAgent?: unknown; httpsAgent?: unknown };
  const bringsAgents = own.httpAgent !== undefined || own.httpsAgent !== undefined;
  return {
    send: axiosSender(instance, {
      flaw: garbled,
      settings: (wire) => {
        const { pool, endpoint } = wire.request;
        const { httpAgent, httpsAgent } = bringsAgents ? own : pools[pool];
        return {
          headers: nodeHeaders,
          httpAgent: toldAgent(httpAgent, wire),
          httpsAgent: toldAgent(httpsAgent, wire),
          ...axiosProxy(instance, endpoint),
        };
      },
    }),
    // An adapter of the user's own may be anything.
    abilities: { ...nodeAbilities, openBodies: false },
    forget: (endpoint) => {
      const { hostname, port, protocol } = new URL(endpoint);
      // Agents name an IPv6 host without its brackets.
      const name = `${hostname.replace(/^\[|\]$/g, '')}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}:`;
      for (const { httpAgent, httpsAgent } of Object.values(pools)) {
        for (const [key, sockets = []] of Object.entries(
          (protocol === 'https:' ? httpsAgent : httpAgent).freeSockets,
        ))
          if (key.startsWith(name)) for (const socket of [...sockets]) socket.destroy();
      }
    },
    close: () => {
      for (const { httpAgent, httpsAgent } of Object.values(pools)) {
        httpAgent.destroy();
        httpsAgent.destroy();
      }
    },
  };
}
