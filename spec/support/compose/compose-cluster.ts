import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer, finalize, forkJoin, map, of, switchMap, tap, type Observable } from 'rxjs';
import { writeCertificates } from '../tls/certificate-files.js';
import { Compose } from './compose.js';
import { ComposeMember } from './compose-member.js';
import { freePorts } from '../ports/free-port.js';
import { MemberCluster } from '../cluster/member-cluster.js';
import type { ClientTls } from '../cluster/test-cluster.js';

/** The compose files of a cluster, by name; each with its services, and the variables of their ports. */
const stacks = {
  'one-node': { etcd: 'PORT' },
  'three-nodes': { etcd1: 'PORT1', etcd2: 'PORT2', etcd3: 'PORT3' },
  'three-nodes-tls': { etcd1: 'PORT1', etcd2: 'PORT2', etcd3: 'PORT3' },
} as const;

/** A cluster of containers. */
export type ComposeCluster = MemberCluster<ComposeMember>;

/**
 * Starts a file of compose/ as a project of its own and emits its cluster once it is ready; from then on it lives until `down$`.
 * Unsubscribing before that ends it.
 */
export function startComposeCluster(stack: keyof typeof stacks = 'three-nodes'): Observable<ComposeCluster> {
  const names = Object.keys(stacks[stack]);
  const variables = Object.values(stacks[stack]);
  return defer(() => {
    const certificates = mkdtempSync(join(tmpdir(), 'rxetcd-compose-'));
    const remove = () => rmSync(certificates, { recursive: true, force: true });
    const tls$ = stack === 'three-nodes-tls' ? defer(() => makeTls(certificates)) : of(undefined);
    let ready = false;
    return forkJoin([freePorts(names.length), tls$]).pipe(
      switchMap(([ports, tls]) => {
        const compose = new Compose(`compose/${stack}.yml`, {
          ...Object.fromEntries(variables.map((variable, i) => [variable, `${ports[i]}`])),
          CERTIFICATES: certificates,
        });
        const down$ = compose.down$().pipe(finalize(remove));
        return compose.up$().pipe(
          switchMap(() => forkJoin(names.map((name) => compose.container$(name)))),
          map((containers) => createMembers(compose, names, ports, containers, tls)),
          map((members) => new MemberCluster(members, down$)),
          switchMap((cluster) => cluster.ready$().pipe(map(() => cluster))),
          tap(() => (ready = true)),
          finalize(() => ready || compose.abandon()),
        );
      }),
      finalize(() => ready || remove()),
    );
  });
}

function createMembers(
  compose: Compose,
  names: string[],
  ports: number[],
  containers: string[],
  tls: ClientTls | undefined,
): ComposeMember[] {
  const scheme = tls === undefined ? 'http' : 'https';
  return names.map(
    (name, index) =>
      new ComposeMember({
        compose,
        index,
        name,
        container: containers[index]!,
        clientUrl: `${scheme}://127.0.0.1:${ports[index]}`,
        peerUrl: `${scheme}://peer${index + 1}:2380`,
        ...(tls && { tls }),
      }),
  );
}

async function makeTls(folder: string): Promise<ClientTls> {
  const files = await writeCertificates(folder);
  const [ca, cert, key] = [files.ca, files.client, files.clientKey].map((file) => readFileSync(file, 'utf8'));
  return { ca: ca!, cert: cert!, key: key! };
}
