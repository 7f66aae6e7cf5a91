import { switchMap, type Observable } from 'rxjs';
import { etcdEnv } from '../etcd/etcd-env.js';
import { findEtcd } from '../etcd/find-etcd.js';
import { startChildServer, type ChildServer } from './child-server.js';

/** What a proxy of etcd 2 to 3.5 needs to know of a member. */
export interface ProxiedMember {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

/** Starts etcd as a v2 proxy (`etcd --proxy on`) in front of the members of a cluster; it lives until `close$`. */
export function startEtcdProxy(members: readonly ProxiedMember[]): Observable<ChildServer> {
  const cluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  return findEtcd().pipe(
    switchMap(({ path }) =>
      startChildServer({
        name: 'etcd-proxy',
        program: path,
        env: etcdEnv(),
        args: (port, folder) => [
          ...['--proxy', 'on'],
          ...['--data-dir', folder],
          ...['--listen-client-urls', `http://127.0.0.1:${port}`],
          ...['--initial-cluster', cluster],
          ...['--logger', 'zap', '--log-level', 'error'],
        ],
      }),
    ),
  );
}

/** Starts `etcd gateway` (TCP, one member after the other) in front of a cluster; it lives until `close$`. */
export function startEtcdGateway(clientUrls: readonly string[]): Observable<ChildServer> {
  return findEtcd().pipe(
    switchMap(({ path }) =>
      startChildServer({
        name: 'etcd-gateway',
        program: path,
        env: etcdEnv(),
        args: (port) => [
          ...['gateway', 'start'],
          ...['--listen-addr', `127.0.0.1:${port}`],
          ...['--endpoints', clientUrls.map((url) => new URL(url).host).join(',')],
          ...['--retry-delay', '1s'],
        ],
      }),
    ),
  );
}
