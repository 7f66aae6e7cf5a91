import type { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { serverUnderTest } from './server-under-test.js';

/** One etcd for a spec file, a client and a key for each test, and short words for the calls that all of them make. */
export function keysUnderTest() {
  const server = serverUnderTest();
  let client: EtcdClient;
  let key: string;

  beforeEach(() => {
    client = server.client();
    key = server.key();
  });

  return {
    server,
    get client() {
      return client;
    },
    get key() {
      return key;
    },
    get: (name = key) => firstValueFrom(client.get$(name)),
    set: (name: string, value: string) => firstValueFrom(client.set$(name, value)),
    /** Waits until there is no such key. */
    gone: (name: string) =>
      eventually(async () => expect(await firstValueFrom(client.exists$(name))).toBe(false)),
    /** Past the client. */
    makeDir: async (name: string) => {
      const { status } = await server.fetch(`/keys${name}`, {
        method: 'PUT',
        body: new URLSearchParams({ dir: 'true' }),
      });
      expect(status).toBe(201);
    },
  };
}
