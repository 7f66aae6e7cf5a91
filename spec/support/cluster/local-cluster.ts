import { Observable, defer, finalize, forkJoin, map, retry, switchMap, tap, throwError, timer } from 'rxjs';
import type { DebianRelease } from '../etcd/debian-etcd.js';
import type { EtcdTiming, EtcdTls } from '../etcd/etcd-flags.js';
import { EtcdProcess, isPortTaken } from '../etcd/etcd-process.js';
import { findEtcd } from '../etcd/find-etcd.js';
import type { EtcdBinary } from '../etcd/find-etcd.js';
import { freePorts } from '../ports/free-port.js';
import { MemberCluster } from './member-cluster.js';
import { startPeerNetwork, type PeerNetwork } from './peer-network.js';

/** The URL that a member tells clients; its own client URL is `ownUrl`. */
export type Advertise = (ownUrl: string, index: number) => string;

export interface LocalClusterOptions {
  /** Members. Default 3. */
  size?: number;
  /** The etcd of this Debian suite. Default: the one `findEtcd` finds. */
  release?: DebianRelease;
  timing?: EtcdTiming;
  /** Every member also listens for clients with TLS: its `secureUrl`. */
  tls?: EtcdTls;
  /** More flags of etcd for every member. */
  flags?: string[];
  /** What a member tells clients to call it by, instead of where it listens. */
  advertise?: Advertise;
  /**
   * The members' links with each other can be cut (`partition$`): they lead through this process, whose pauses
   * they then share. Not with `advertisePeers`. Default false.
   */
  partitions?: boolean;
  /** What the others call a member by instead of where it listens: a proxy's URL in front of each peer URL, in the same order. */
  advertisePeers?: (listenUrls: string[]) => Observable<string[]>;
}

/** A cluster of local etcd processes. */
export type LocalCluster = MemberCluster<EtcdProcess>;

/**
 * Starts etcd processes and emits their cluster once it is ready; from then on it lives until `down$`. Unsubscribing before that
 * ends them. A port that somebody else took meanwhile makes it start over with others.
 */
export function startLocalCluster({
  release,
  ...options
}: LocalClusterOptions = {}): Observable<LocalCluster> {
  return findEtcd(release && { release }).pipe(
    switchMap((binary) => startOnce(binary, options)),
    retry({ count: 5, delay: (error: unknown) => (isPortTaken(error) ? timer(0) : throwError(() => error)) }),
  );
}

function startOnce(
  binary: EtcdBinary,
  options: Omit<LocalClusterOptions, 'release'>,
): Observable<LocalCluster> {
  const { size = 3, partitions = false, advertisePeers } = options;
  return freePorts(3 * size).pipe(
    switchMap((ports) => {
      const listenUrls = ports.slice(size, 2 * size).map((port) => `http://127.0.0.1:${port}`);
      if (partitions)
        return startPeerNetwork(listenUrls).pipe(map((network) => ({ ports, urls: network.urls, network })));
      return advertisePeers
        ? advertisePeers(listenUrls).pipe(map((urls) => ({ ports, urls })))
        : [{ ports, urls: listenUrls }];
    }),
    switchMap((place: Place) => whenReady(createMembers(binary, place, options), place.network)),
  );
}

/** Where members listen, for clients, then peers, then clients with TLS; and what they call each other by. */
interface Place {
  ports: number[];
  urls: string[];
  network?: PeerNetwork;
}

function createMembers(
  binary: EtcdBinary,
  { ports, urls, network }: Place,
  { timing, tls, flags = [], advertise }: LocalClusterOptions,
): EtcdProcess[] {
  const peerUrls = Object.fromEntries(urls.map((url, i) => [`etcd${i + 1}`, url]));
  return urls.map((_, index) => {
    const clientPort = ports[index]!;
    const told = advertise?.(`http://127.0.0.1:${clientPort}`, index);
    return new EtcdProcess({
      binary,
      index,
      clientPort,
      peerPort: ports[urls.length + index]!,
      peerUrls,
      ...(network && { peerLink: network.link(index) }),
      ...(tls && { tls: { ...tls, port: ports[2 * urls.length + index]! } }),
      ...(timing && { timing }),
      flags: [...flags, ...(told === undefined ? [] : ['--advertise-client-urls', told])],
    });
  });
}

function whenReady(members: EtcdProcess[], network: PeerNetwork | undefined): Observable<LocalCluster> {
  return defer(() => {
    let ready = false;
    const terminated$ = forkJoin(members.map((member) => member.terminate$()));
    const cluster = new MemberCluster(
      members,
      network && terminated$.pipe(switchMap(() => network.close$())),
    );
    return forkJoin(members.map((member) => member.start$())).pipe(
      switchMap(() => forkJoin(members.map((member) => member.ready$()))),
      switchMap(() => cluster.ready$()),
      tap(() => (ready = true)),
      map(() => cluster),
      finalize(() => ready || members.forEach((member) => member.abandon())),
      finalize(() => ready || network?.abandon()),
    );
  });
}
