/** The clients whose requests are measured beside each other. */
import axios, { Axios, type AxiosAdapter } from 'axios';
import { Agent, request } from 'node:http';
import { EtcdClient } from 'rxetcd';
import { EMPTY, firstValueFrom } from 'rxjs';
import { Pool } from 'undici';
import { createUndiciSender } from '../lib/transport/http1/undici-sender.js';
import type { HttpRequest, HttpResponse } from '../lib/transport/http.js';
import { nodeEtcd } from './node-etcd.js';
import { value, type Contender } from './rounds.js';

const keyOf = (key: number): string => `/bench/k${String(key)}`;
const pathOf = (key: number): string => `/v2/keys${keyOf(key)}`;
const body = `value=${value}`;
const formType = 'application/x-www-form-urlencoded';

/** Every rival parses what it got: a user wants the value. */
function valueOf(status: number, text: string): string {
  if (status !== 200 && status !== 201) throw new Error(`status ${String(status)}: ${text}`);
  return (JSON.parse(text) as { node: { value: string } }).node.value;
}

export function rxetcd(origin: string): Contender {
  const client = new EtcdClient(origin);
  return {
    name: 'rxetcd',
    get: async (key) => (await firstValueFrom(client.get$(keyOf(key)))).node.value,
    put: (key) => firstValueFrom(client.set$(keyOf(key), value)),
    close: () => {
      client.close();
    },
  };
}

export function nodeEtcd7(origin: string): Contender {
  const client = nodeEtcd(origin);
  return {
    name: 'node-etcd 7',
    get: (key) =>
      new Promise((resolve, reject) => {
        client.get(keyOf(key), (error, answer) => {
          if (error) reject(error);
          else resolve(answer?.node.value);
        });
      }),
    put: (key) =>
      new Promise((resolve, reject) => {
        client.set(keyOf(key), value, (error, answer) => {
          if (error) reject(error);
          else resolve(answer);
        });
      }),
    close: () => undefined,
  };
}

export function bareHttp(origin: string): Contender {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 64 });
  const { hostname, port } = new URL(origin);
  const send = (method: string, key: number, sent?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = sent === undefined ? {} : { 'content-type': formType, 'content-length': sent.length };
      const asked = request({ host: hostname, port, agent, method, path: pathOf(key), headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          try {
            resolve(valueOf(answer.statusCode ?? 0, text));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
      asked.on('error', reject);
      asked.end(sent);
    });
  return {
    name: 'http.request',
    get: (key) => send('GET', key),
    put: (key) => send('PUT', key, body),
    close: () => {
      agent.destroy();
    },
  };
}

export function undici(origin: string): Contender {
  const pool = new Pool(origin, { connections: 64, pipelining: 1 });
  const send = async (method: 'GET' | 'PUT', key: number, sent?: string): Promise<string> => {
    const { statusCode, body: answer } = await pool.request({
      method,
      path: pathOf(key),
      ...(sent === undefined ? {} : { body: sent, headers: ['content-type', formType] }),
    });
    return valueOf(statusCode, await answer.text());
  };
  return {
    name: 'undici',
    get: (key) => send('GET', key),
    put: (key) => send('PUT', key, body),
    close: () => pool.destroy(),
  };
}

function throughAxios(name: string, client: Axios, origin: string, close: Contender['close']): Contender {
  const text = { responseType: 'text', transformResponse: (answer: unknown) => answer } as const;
  const send = async (method: string, key: number, data?: string): Promise<string> => {
    const answer = await client.request<string>({ ...text, method, url: origin + pathOf(key), data });
    return valueOf(answer.status, answer.data);
  };
  return { name, get: (key) => send('get', key), put: (key) => send('put', key, body), close };
}

/** As its users have it: keep-alive is Node's default. */
export function plainAxios(origin: string): Contender {
  return throughAxios('axios', axios.create({ maxRedirects: 0 }), origin, () => undefined);
}

/** What carries the library's own requests, with nothing of the library above it. */
function bareExchange(origin: string): {
  exchange: (request: Pick<HttpRequest, 'method' | 'path' | 'body'>) => Promise<HttpResponse>;
  close: Contender['close'];
} {
  const { send, close } = createUndiciSender({
    tls: {},
    connectTimeout: 1_000,
    commandConnections: 128,
    endpoints: [origin],
    vouch$: () => EMPTY,
  });
  const ignore = (): undefined => undefined;
  const bare = {
    inParts: false,
    sent: undefined,
    maxBytes: Infinity,
    reached: ignore,
    mayBeWritten: () => true,
    takes: () => true,
    onAbort: undefined,
    head: ignore,
    text: ignore,
  };
  const exchange = ({ method, path, body: sent }: Pick<HttpRequest, 'method' | 'path' | 'body'>) =>
    new Promise<HttpResponse>((done, failed) => {
      const asked: HttpRequest = {
        method,
        path,
        endpoint: origin,
        timeout: 10_000,
        operation: 'bench',
        pool: 'command',
        ...(sent === undefined ? {} : { body: sent }),
      };
      send({ ...bare, request: asked, done, failed });
    });
  return { exchange, close };
}

/** The floor of the library's own calls: the same wire, and the value read. */
export function ownWire(origin: string): Contender {
  const { exchange, close } = bareExchange(origin);
  const send = async (method: 'GET' | 'PUT', key: number, sent?: string): Promise<string> => {
    const { status, body: answer } = await exchange({ method, path: pathOf(key), body: sent });
    return valueOf(status, answer);
  };
  return { name: 'its wire', get: (key) => send('GET', key), put: (key) => send('PUT', key, body), close };
}

/** Axios over what carries the library's own requests: the floor that axios sets. */
export function axiosOverOurs(origin: string): Contender {
  const { exchange, close } = bareExchange(origin);
  const adapter: AxiosAdapter = async (config) => {
    const sent = config.data as string | undefined;
    const {
      status,
      headers,
      body: data,
    } = await exchange({
      method: config.method === 'put' ? 'PUT' : 'GET',
      path: (config.url ?? '').slice(origin.length),
      body: sent,
    });
    return { data, status, statusText: '', headers: headers.toJSON() as Record<string, string>, config };
  };
  return throughAxios('axios over the same adapter', new Axios({ adapter }), origin, close);
}
