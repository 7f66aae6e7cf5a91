import { Observable, forkJoin, map, of, switchMap } from 'rxjs';
import { EmbeddedProcess } from './embedded-process.js';
import { EmbeddedTestMember } from './embedded-test-member.js';
import type { EtcdTls } from '../etcd/etcd-flags.js';
import { httpGet } from '../etcd/http-get.js';
import type { LocalClusterOptions } from '../cluster/local-cluster.js';
import { MemberCluster } from '../cluster/member-cluster.js';
import { startTlsFront, type TlsFront } from '../tls/tls-front.js';

/** In ms. */
const readLimit = 5_000;
const electionTimeout = 200;

/**
 * An embedded cluster in the place of local etcd processes: for the embedded server's run of the contract suite, this module
 * stands for `local-cluster.js`. Flags are for etcd alone.
 */
export function startLocalCluster({ size = 3, timing, tls }: LocalClusterOptions = {}): Observable<
  MemberCluster<EmbeddedTestMember>
> {
  return EmbeddedProcess.start$(size, { electionTimeout: timing?.election ?? electionTimeout }).pipe(
    switchMap(({ process, endpoints }) =>
      forkJoin([peerUrls$(endpoints), tls === undefined ? of([]) : fronts$(endpoints, tls)]).pipe(
        map(([peerUrls, fronts]) => {
          const down$ = forkJoin([process.end$(), ...fronts.map((front) => front.close$())]);
          const ended$ = down$.pipe(map(() => undefined));
          const members = endpoints.map(
            (url, i) =>
              new EmbeddedTestMember(process, i, url, fronts[i]?.url ?? '', peerUrls[i] ?? '', ended$),
          );
          return new MemberCluster(members, ended$);
        }),
      ),
    ),
  );
}

const fronts$ = (endpoints: readonly string[], tls: EtcdTls): Observable<TlsFront[]> =>
  forkJoin(endpoints.map((url) => startTlsFront(url, tls)));

/** What the members call each other by: no more than an entry in the list. */
function peerUrls$(endpoints: readonly string[]): Observable<string[]> {
  return httpGet(`${endpoints[0] ?? ''}/v2/members`, readLimit).pipe(
    map(({ body }) => {
      const { members } = JSON.parse(body) as { members: { clientURLs: string[]; peerURLs: string[] }[] };
      return endpoints.map((url) => members.find((m) => m.clientURLs.includes(url))?.peerURLs[0] ?? '');
    }),
  );
}
