import { finalize, forkJoin, map, Observable, retry, switchMap, tap, throwError, timer } from 'rxjs';
import { EtcdProcess, isPortTaken } from './etcd-process.js';
import { findEtcd } from './find-etcd.js';
import { freePorts } from './free-port.js';
import type { LocalCluster } from './local-cluster.js';
import { MemberCluster } from './member-cluster.js';

/** What a member tells clients to call it by: its own client URL is `ownUrl`. */
export type Advertise = (ownUrl: string, index: number) => string;

/**
 * Starts three members that tell clients other URLs than those where they listen, and emits their cluster once it is
 * ready; from then on it lives until `down$`.
 */
export function startAdvertisingCluster(advertise: Advertise): Observable<LocalCluster> {
  return freePorts(6).pipe(
    switchMap((ports) => findEtcd().pipe(map((binary) => ({ binary, ports })))),
    switchMap(({ binary, ports }) => {
      const [clientPorts, peerPorts] = [ports.slice(0, 3), ports.slice(3)];
      const peerUrls = Object.fromEntries(
        peerPorts.map((port, i) => [`etcd${i + 1}`, `http://127.0.0.1:${port}`]),
      );
      const members = clientPorts.map((clientPort, index) => {
        const url = advertise(`http://127.0.0.1:${clientPort}`, index);
        const flags = ['--advertise-client-urls', url];
        return new EtcdProcess({ binary, index, clientPort, peerPort: peerPorts[index]!, peerUrls, flags });
      });
      const cluster = new MemberCluster(members);
      let ready = false;
      return forkJoin(members.map((member) => member.start$())).pipe(
        switchMap(() => forkJoin(members.map((member) => member.ready$()))),
        switchMap(() => cluster.ready$()),
        tap(() => (ready = true)),
        map(() => cluster),
        finalize(() => ready || members.forEach((member) => member.abandon())),
      );
    }),
    retry({ count: 5, delay: (error: unknown) => (isPortTaken(error) ? timer(0) : throwError(() => error)) }),
  );
}
