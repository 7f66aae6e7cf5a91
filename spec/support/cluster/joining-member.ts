import { map, switchMap, type Observable } from 'rxjs';
import { EtcdProcess } from '../etcd/etcd-process.js';
import { findEtcd } from '../etcd/find-etcd.js';
import { freePorts } from '../ports/free-port.js';
import type { TestMember } from './test-cluster.js';

/** A process that can be started once the cluster of these members has added its `peerUrl`; end it by `terminate$`. */
export function joiningMember(members: readonly TestMember[]): Observable<EtcdProcess> {
  const name = `etcd${members.length + 1}`;
  return freePorts(2).pipe(
    switchMap(([clientPort, peerPort]) =>
      findEtcd().pipe(
        map((binary) => {
          const known = members.map((member) => [member.name, member.peerUrl]);
          const peerUrls = Object.fromEntries([...known, [name, `http://127.0.0.1:${peerPort!}`]]) as Record<
            string,
            string
          >;
          const flags = ['--initial-cluster-state', 'existing'];
          return new EtcdProcess({
            binary,
            index: members.length,
            name,
            clientPort: clientPort!,
            peerPort: peerPort!,
            peerUrls,
            flags,
          });
        }),
      ),
    ),
  );
}
