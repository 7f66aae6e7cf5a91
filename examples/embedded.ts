/**
 * What a test of your own may look like: an etcd inside the process, gone with it. No server is needed to run this one.
 */
import { EtcdClient } from 'rxetcd';
import { EmbeddedEtcd } from 'rxetcd/testing';
import { EMPTY, concat, concatMap, defer, finalize, ignoreElements, map, merge, mergeMap, of } from 'rxjs';

EmbeddedEtcd.start$()
  .pipe(
    concatMap((etcd) => {
      const client = new EtcdClient(etcd.url);
      const writes$ = concat(client.set$('/svc/a', '1'), client.set$('/svc/b', '2')).pipe(ignoreElements());
      const changes$ = client.watch$('/svc', { initial: true, until: ({ node }) => node.key === '/svc/b' });
      return concat(
        changes$.pipe(
          // Once the watch stands, nothing can be missed.
          mergeMap((event) => merge(of(event), event.action === 'sync' ? writes$ : EMPTY)),
          map(({ action, node }) => `${action} ${node.key} ${node.value ?? ''}`.trimEnd()),
          finalize(() => client.close()),
        ),
        defer(() => etcd.stop$()).pipe(ignoreElements()),
      );
    }),
  )
  .subscribe({
    next: (line) => console.log(line),
    error: (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
    },
  });
