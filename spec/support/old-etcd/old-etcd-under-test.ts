import { EtcdClient, type ClientOptions } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { startOldEtcd, type OldEtcd } from './old-etcd.js';
import type { OldRelease } from './old-etcd-release.js';

/** Old servers and clients for the tests of one file; after each test they are closed. */
export function oldEtcdUnderTest() {
  const started: OldEtcd[] = [];
  const clients: EtcdClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(started.splice(0).map((etcd) => firstValueFrom(etcd.close$())));
  });

  return {
    /** Starts that release; the first member leads. */
    start: async (release: OldRelease, size = 1): Promise<OldEtcd> => {
      const etcd = await firstValueFrom(startOldEtcd(release, size));
      started.push(etcd);
      return etcd;
    },
    /** A client of all its members, or of the endpoints given. */
    client: (etcd: OldEtcd, options: ClientOptions = {}): EtcdClient => {
      const client = new EtcdClient({ endpoints: etcd.urls, ...options });
      clients.push(client);
      return client;
    },
  };
}
