/**
 * The ways to send a request that the measurements compare.
 */
import axios, { Axios, type AxiosInstance } from 'axios';
import { Agent, request } from 'node:http';
import { Pool } from 'undici';
import type { EtcdServer } from './etcd-server.js';
import { AbortHandle, FORM_TYPE, type LeanAdapter, type LeanConfig } from './lean-config.js';
import { leanHttp } from './lean-http.js';
import { leanPoolDispatch, type HeaderStyle } from './lean-pool-dispatch.js';
import { leanPoolRequest } from './lean-pool-request.js';
import type { Contender } from './rounds.js';

const VALUE = 'v'.repeat(64);
const BODY = `value=${VALUE}`;
const path = (key: number): string => `/v2/keys/bench/k${key}`;
export const anyStatus = (): boolean => true;

function lengthOf(status: number, data: unknown): number {
  if (status !== 200 && status !== 201) throw new Error(`status ${status}`);
  return typeof data === 'string' ? data.length : data === null ? 0 : 1;
}

const keepAliveAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 64 });
export const pool = (server: EtcdServer, connections: number | null = 64): Pool =>
  new Pool(server.origin, { connections, pipelining: 1 });

export function bareHttp({ host, port }: EtcdServer): Contender {
  const agent = keepAliveAgent();
  const send = (method: string, key: number, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': FORM_TYPE, 'content-length': body.length };
      const sent = request({ host, port, agent, method, path: path(key), headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          try {
            resolve(lengthOf(answer.statusCode ?? 0, text));
          } catch (error) {
            reject(new Error('unexpected answer', { cause: error }));
          }
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    name: 'a. http.request',
    get: (key) => send('GET', key),
    put: (key) => send('PUT', key, BODY),
    close: () => agent.destroy(),
  };
}

export function bareUndici(server: EtcdServer): Contender {
  const connections = pool(server);
  const send = async (method: 'GET' | 'PUT', key: number, body?: string): Promise<number> => {
    const answer = await connections.request({
      method,
      path: path(key),
      ...(body === undefined ? {} : { body, headers: ['content-type', FORM_TYPE] }),
    });
    return lengthOf(answer.statusCode, await answer.body.text());
  };
  return {
    name: 'b. undici Pool.request',
    get: (key) => send('GET', key),
    put: (key) => send('PUT', key, BODY),
    close: () => connections.destroy(),
  };
}

function throughAxios(
  name: string,
  client: Axios | AxiosInstance,
  base: string,
  close: Contender['close'],
): Contender {
  return {
    name,
    get: async (key) => {
      const { status, data } = await client.request<unknown>({ method: 'get', url: base + path(key) });
      return lengthOf(status, data);
    },
    put: async (key) => {
      const { status, data } = await client.request<unknown>({
        method: 'put',
        url: base + path(key),
        data: BODY,
      });
      return lengthOf(status, data);
    },
    close,
  };
}

/** An instance with the defaults of axios and nothing transformed. */
export const quietInstance = (adapter: LeanAdapter): AxiosInstance =>
  axios.create({
    adapter,
    transformRequest: [],
    transformResponse: [],
    responseType: 'text',
    validateStatus: anyStatus,
  });

/** A client without the defaults of axios: only the adapter. */
export const smallestClient = (adapter: LeanAdapter): Axios => new Axios({ adapter });

export function axiosAsItComes(server: EtcdServer): Contender {
  const httpAgent = keepAliveAgent();
  const client = axios.create({ httpAgent, maxRedirects: 0 });
  return throughAxios('c. axios as it comes', client, server.origin, () => httpAgent.destroy());
}

export function axiosFetch(server: EtcdServer): Contender {
  return throughAxios(
    'g. axios, fetch adapter',
    axios.create({ adapter: 'fetch' }),
    server.origin,
    () => undefined,
  );
}

export function axiosOverHttp(server: EtcdServer): Contender {
  const agent = keepAliveAgent();
  const client = quietInstance(leanHttp(server.host, server.port, agent));
  return throughAxios('d. axios, lean http.request', client, '', () => agent.destroy());
}

export function axiosOverPoolRequest(server: EtcdServer): Contender {
  const connections = pool(server);
  return throughAxios('e. axios, lean pool.request', quietInstance(leanPoolRequest(connections)), '', () =>
    connections.destroy(),
  );
}

export function axiosOverDispatch(server: EtcdServer, style: HeaderStyle = 'lean'): Contender {
  const connections = pool(server);
  const client = quietInstance(leanPoolDispatch(connections, style));
  return throughAxios(
    `f. axios, lean pool.dispatch${style === 'lean' ? '' : ` (${style} headers)`}`,
    client,
    '',
    () => connections.destroy(),
  );
}

export function smallestOverDispatch(
  server: EtcdServer,
  style: HeaderStyle = 'lean',
  connections: Pool = pool(server),
  name = `f2. new Axios({adapter}), pool.dispatch${style === 'lean' ? '' : ` (${style} headers)`}`,
): Contender {
  return throughAxios(name, smallestClient(leanPoolDispatch(connections, style)), '', () =>
    connections.destroy(),
  );
}

export function smallestOverHttp(server: EtcdServer): Contender {
  const agent = keepAliveAgent();
  const client = smallestClient(leanHttp(server.host, server.port, agent));
  return throughAxios('d2. new Axios({adapter}), http.request', client, '', () => agent.destroy());
}

/** The adapter of f2 called without axios. */
export function dispatchWithoutAxios(server: EtcdServer): Contender {
  const connections = pool(server);
  const adapter = leanPoolDispatch(connections);
  const send = async (method: 'get' | 'put', key: number, data?: string): Promise<number> => {
    const answer = await adapter({ method, url: path(key), data } as LeanConfig);
    return lengthOf(answer.status, answer.data);
  };
  return {
    name: 'h. adapter of f, no axios',
    get: (key) => send('get', key),
    put: (key) => send('put', key, BODY),
    close: () => connections.destroy(),
  };
}

/** f2 with something to end the request with. */
export function abortable(server: EtcdServer, means: 'signal' | 'handle'): Contender {
  const connections = pool(server);
  const client = smallestClient(leanPoolDispatch(connections));
  const send = async (method: 'get' | 'put', key: number, data?: string): Promise<number> => {
    const config: Partial<LeanConfig> = { method, url: path(key), data };
    if (means === 'signal') config.signal = new AbortController().signal;
    else config.abortHandle = new AbortHandle();
    const answer = await client.request<string>(config);
    return lengthOf(answer.status, answer.data);
  };
  return {
    name: means === 'signal' ? 'f2 + new AbortController, signal' : 'f2 + own AbortHandle',
    get: (key) => send('get', key),
    put: (key) => send('put', key, BODY),
    close: () => connections.destroy(),
  };
}
