import { EtcdClient, op, type WatchEvent } from 'rxetcd/v3';
import { map, type Observable } from 'rxjs';
import type { Store, Told } from './store.js';

/** A store by the v3 API. */
export const connectV3$ = (endpoints: string[]): Observable<Store> =>
  EtcdClient.connect$(endpoints, { deadline: 10_000, heartbeat: 1_000 }).pipe(
    map((client) => ({
      client,
      begin$: (prefix) =>
        client.put$(`${prefix}/instance-0`, 'begin').pipe(map(({ info }) => info.revision + 1)),
      // Two keys at once, or neither.
      write$: (prefix, n) =>
        client
          .txn$({
            then: [op.put(`${prefix}/instance-${n % 5}`, `write ${n}`), op.put(`${prefix}/last`, String(n))],
          })
          .pipe(map(({ info }) => info.revision)),
      watch$: (prefix) =>
        client.watch$({ prefix: `${prefix}/` }, { initial: true, live: true }).pipe(map(told)),
      end$: (prefix) => client.delete$({ prefix: `${prefix}/` }),
    })),
  );

function told(event: WatchEvent): Told {
  const { revision } = event;
  switch (event.type) {
    case 'put':
      return { place: revision, line: `${revision}: put ${event.kv.key} = ${event.kv.value}` };
    case 'delete':
      return { place: revision, line: `${revision}: delete ${event.key}` };
    case 'sync':
    case 'resync':
      return { line: `${revision}: ${event.type}, ${event.kvs.length} keys` };
    default:
      return { line: `${revision}: ${event.type}` };
  }
}
