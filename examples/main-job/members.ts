import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddedCluster } from 'rxetcd/testing';
import { defer, from, map, switchMap, type Observable } from 'rxjs';

/** Members that can be killed. */
export interface Cluster {
  readonly endpoints: string[];
  readonly members: readonly {
    readonly name: string;
    kill$(): Observable<void>;
    restart$(): Observable<void>;
  }[];
}

interface Own {
  readonly title: string;
  readonly api: 'v2' | 'v3';
  readonly cluster: Cluster;
  readonly stop$: Observable<unknown>;
}

/** Starts three members: of the etcd that is found on this machine, or embedded ones, which speak v2 alone. */
export const members$ = (isV2: boolean): Observable<Own> =>
  defer(async () => (isV2 ? undefined : await foundVersion())).pipe(
    switchMap((version) => (version === undefined ? embedded$(isV2) : real$(version))),
  );

const embedded$ = (isV2: boolean): Observable<Own> =>
  EmbeddedCluster.start$(3).pipe(
    map((cluster) => ({
      title: `${isV2 ? 'three' : 'no etcd found on this machine (PATH, ETCD_BIN): three'} embedded members, by the v2 API`,
      api: 'v2',
      cluster,
      stop$: cluster.stop$(),
    })),
  );

const real$ = (version: string): Observable<Own> =>
  from(import('../../spec/support/cluster/local-cluster.js')).pipe(
    switchMap(({ startLocalCluster }) => startLocalCluster({ flags: withoutV2(version) })),
    map((cluster) => ({
      title: `etcd ${version} found on this machine: three members of it, by the v3 API`,
      api: 'v3',
      cluster,
      stop$: cluster.down$(),
    })),
  );

/** As etcd comes. From 3.6 on there is no such flag, and no v2 API. */
const withoutV2 = (version: string): string[] => (/^3\.[45]\./.test(version) ? ['--enable-v2=false'] : []);

/** The release of the etcd on this machine, if it has the v3 API as it is spoken here. */
async function foundVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(process.env['ETCD_BIN'] ?? 'etcd', ['--version']);
    const version = /^etcd Version: (\S+)/m.exec(stdout)?.[1];
    return version === undefined || /^([0-2]\.|3\.[0-3]\.)/.test(version) ? undefined : version;
  } catch {
    return undefined;
  }
}
