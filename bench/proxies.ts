/** The same as `latency`, through proxies that hold back what is not complete: nginx as it comes, and `etcd --proxy on`. */
import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
import type { ChildServer } from '../spec/support/middlebox/child-server.js';
import { startEtcdProxy } from '../spec/support/middlebox/etcd-fronts.js';
import { hasNginx, startNginx } from '../spec/support/middlebox/nginx.js';
import { startEtcd, type EtcdServer } from './etcd-server.js';
import { ofRounds, type Figure, type Section } from './figure.js';
import { bareChain, lags, ours } from './lag.js';

const rounds = 5;

async function through(name: string, server: EtcdServer, start$: Observable<ChildServer>): Promise<Figure[]> {
  const proxy = await firstValueFrom(start$);
  const writer = new EtcdClient(server.origin);
  try {
    const { node } = await firstValueFrom(writer.set$('/bare', 'first'));
    const chain = bareChain(proxy.url, '/bare', (node.modifiedIndex ?? 0) + 1);
    const watch = await ours({ endpoints: proxy.url, discover: false }, '/ours');
    const { ratio, beside } = await lags(writer, watch, chain, rounds);
    chain.stop();
    watch.stop();
    return [0.5, 0.99].map((part) => ({
      bar: `through ${name}: set sent → event seen, p${String(100 * part)}: to a bare long-poll chain`,
      ...ofRounds(ratio(part)),
      ...(part === 0.5 ? { target: { most: 1.5 } } : {}),
      beside: beside(part),
    }));
  } finally {
    writer.close();
    await lastValueFrom(proxy.close$());
  }
}

export const proxies: Section = async () => {
  const server = await startEtcd();
  try {
    const figures = await through('etcd --proxy on', server, startEtcdProxy([server.member]));
    if (hasNginx())
      figures.unshift(...(await through('nginx as it comes', server, startNginx([server.origin]))));
    else console.error('passed over: no nginx');
    return figures;
  } finally {
    await server.stop();
  }
};
