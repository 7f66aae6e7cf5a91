import { EMPTY, defaultIfEmpty, firstValueFrom, type Observable } from 'rxjs';
import { startHeaderStripper } from '../proxies/header-stripper.js';
import type { LocalCluster } from '../cluster/local-cluster.js';
import type { ChildServer } from './child-server.js';
import { startEtcdGateway, startEtcdProxy } from './etcd-fronts.js';
import { startMiddlebox, type Middlebox } from './middlebox.js';
import { startNginx } from './nginx.js';
import type { Front, RoundPlan } from './round-plan.js';

/** The way to a cluster: what a client is to be told of it, and the middleboxes in it. */
export interface Way {
  readonly endpoints: readonly string[];
  readonly boxes: readonly Middlebox[];
}

/** Builds the way that a plan asks for. @param afterwards takes what closes its parts */
export async function buildWay(
  cluster: LocalCluster,
  plan: Pick<RoundPlan, 'front' | 'boxIsBehind' | 'isBlind'>,
  afterwards: (close: () => unknown) => void,
): Promise<Way> {
  const boxes: Middlebox[] = [];
  const closing = <T extends { close$(): Observable<unknown> }>(part: T): T => {
    afterwards(() => firstValueFrom(part.close$().pipe(defaultIfEmpty(undefined))));
    return part;
  };
  const box = async (url: string): Promise<string> => {
    const one = closing(await firstValueFrom(startMiddlebox(url)));
    boxes.push(one);
    return one.url;
  };
  const strip = async (url: string): Promise<string> =>
    plan.isBlind ? closing(await firstValueFrom(startHeaderStripper(url))).url : url;

  if (plan.front === 'none') {
    const endpoints: string[] = [];
    for (const url of cluster.endpoints) endpoints.push(await box(await strip(url)));
    return { endpoints, boxes };
  }
  // An etcd proxy finds the members by itself: nothing can stand between.
  const isBehind = plan.boxIsBehind && plan.front !== 'etcd-proxy';
  const targets = isBehind ? await Promise.all(cluster.endpoints.map(box)) : cluster.endpoints;
  const front = await strip(closing(await firstValueFrom(start(plan.front, cluster, targets))).url);
  return { endpoints: [isBehind ? front : await box(front)], boxes };
}

function start(front: Front, cluster: LocalCluster, targets: readonly string[]): Observable<ChildServer> {
  switch (front) {
    case 'nginx':
      return startNginx(targets, { readTimeout: 10 });
    case 'nginx-unbuffered':
      return startNginx(targets, { readTimeout: 10, buffering: false });
    case 'etcd-proxy':
      return startEtcdProxy(cluster.members);
    case 'etcd-gateway':
      return startEtcdGateway(targets);
    case 'none':
      return EMPTY;
  }
}
