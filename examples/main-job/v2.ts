import { EtcdClient } from 'rxetcd';
import { map, type Observable } from 'rxjs';
import type { Store } from './store.js';

/** A store by the v2 API. */
export const connectV2$ = (endpoints: string[]): Observable<Store> =>
  EtcdClient.connect$(endpoints, { deadline: 10_000, heartbeat: 1_000 }).pipe(
    map((client) => ({
      client,
      begin$: (prefix) => client.createDir$(prefix).pipe(map(({ node }) => (node.modifiedIndex ?? 0) + 1)),
      write$: (prefix, n) =>
        client
          .set$(`${prefix}/instance-${n % 5}`, `write ${n}`)
          .pipe(map(({ node }) => node.modifiedIndex ?? 0)),
      watch$: (prefix, from) =>
        client.watch$(prefix, { fromIndex: from }).pipe(
          map(({ action, node, index }) => ({
            place: index,
            line: `${index}: ${action} ${node.key} = ${node.value ?? ''}`,
          })),
        ),
      end$: (prefix) => client.deleteDir$(prefix, { recursive: true }),
    })),
  );
