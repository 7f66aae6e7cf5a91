import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AxiosInstance } from 'axios';
import type { Settings } from '../options.js';
import { axiosSender } from './axios-sender.js';
import type { HttpRequest } from './http.js';
import { createUndiciSender } from './undici-sender.js';
import { speaksHttp } from './speaks-http.js';
import { speaksTls } from './speaks-tls.js';
import { TransportError } from './transport-error.js';
import type { Sender } from './wire.js';

/** Commands in flight to one endpoint; more wait for a free connection. */
const commandConnections = 128;

/** What differs between Node and a browser. */
export interface Platform {
  readonly send: Sender;
  /** Many answers can be kept open and read as they come. */
  readonly streams: boolean;
  /** What is wrong with an endpoint that has never answered and resets connections, if that can be told. */
  readonly diagnose?: (endpoint: string) => Promise<TransportError | undefined>;
  /** Ends all connections. */
  readonly close: () => void;
}

/** The settings that a platform is made from. */
export type PlatformSettings = Pick<Settings, 'axios' | 'tls' | 'connectTimeout'>;

/** In Node: undici, or the user's own axios instance over keep-alive agents. */
export function createPlatform(settings: PlatformSettings): Platform {
  const platform =
    settings.axios === undefined ? undiciPlatform(settings) : ownPlatform(settings.axios, settings);
  return { ...platform, diagnose: otherScheme };
}

/** Says so if the port speaks the other of http and https. */
async function otherScheme(endpoint: string): Promise<TransportError | undefined> {
  const isPlain = endpoint.startsWith('http:');
  if (!(await (isPlain ? speaksTls(endpoint) : speaksHttp(endpoint)))) return undefined;
  const why = isPlain
    ? 'the port speaks TLS: the endpoint is https, not http'
    : 'the port speaks no TLS: the endpoint is http, not https';
  return new TransportError('tls', why, false);
}

function undiciPlatform({ tls, connectTimeout }: PlatformSettings): Platform {
  return { ...createUndiciSender({ tls, connectTimeout, commandConnections }), streams: true };
}

function ownPlatform(instance: AxiosInstance, { tls }: PlatformSettings): Platform {
  const agents = (maxSockets: number): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } => ({
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
    httpsAgent: new HttpsAgent({ ...(tls as object), keepAlive: true, maxSockets }),
  });
  const pools: Record<HttpRequest['pool'], ReturnType<typeof agents>> = {
    command: agents(commandConnections),
    watch: agents(Infinity),
  };
  const { httpAgent, httpsAgent } = instance.defaults as { httpAgent?: unknown; httpsAgent?: unknown };
  const bringsAgents = httpAgent !== undefined || httpsAgent !== undefined;
  return {
    send: axiosSender(instance, (pool) => (bringsAgents ? {} : pools[pool])),
    streams: true,
    close: () => {
      for (const pool of Object.values(pools)) {
        pool.httpAgent.destroy();
        pool.httpsAgent.destroy();
      }
    },
  };
}
