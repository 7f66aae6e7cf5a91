/** The clients of the v3 API whose calls are measured beside each other. */
import { EtcdClient } from 'rxetcd/v3';
import { firstValueFrom } from 'rxjs';
import { Pool } from 'undici';
import type { Contender } from '../rounds.js';
import { etcd3 } from './etcd3.js';

export const value = 'v'.repeat(20);
const keyOf = (key: number): string => `/bench/k${String(key)}`;

export function rxetcdV3(origin: string, ca?: string): Contender {
  const client = new EtcdClient(origin, ca === undefined ? {} : { tls: { ca } });
  return {
    name: 'rxetcd/v3',
    get: (key) => firstValueFrom(client.getValue$(keyOf(key))),
    put: (key) => firstValueFrom(client.put$(keyOf(key), value)),
    close: () => {
      client.close();
    },
  };
}

export function npmEtcd3(origin: string, ca?: string): Contender {
  const client = etcd3(origin, ca);
  return {
    name: 'etcd3',
    get: async (key) => (await client.get(keyOf(key)).string()) ?? undefined,
    put: (key) => client.put(keyOf(key)).value(value),
    close: () => {
      client.close();
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The same JSON posts over as many connections, and the value read. */
export function undiciPosts(origin: string, ca?: string): Contender {
  const pool = new Pool(origin, {
    connections: 128,
    pipelining: 1,
    ...(ca === undefined ? {} : { connect: { ca } }),
  });
  const headers = ['content-type', 'application/json'];
  const post = async (path: string, message: object): Promise<unknown> => {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path,
      headers,
      body: JSON.stringify(message),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`status ${String(statusCode)}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return {
    name: 'undici',
    get: async (key) => {
      const answer = await post('/v3/kv/range', { key: base64(keyOf(key)) });
      const { kvs } = answer as { kvs?: readonly { value: string }[] };
      return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString();
    },
    put: (key) => post('/v3/kv/put', { key: base64(keyOf(key)), value: base64(value) }),
    close: () => pool.destroy(),
  };
}
