/** One writer: from a set being sent to its event being seen, beside a bare chain of long polls. */
import { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { startEtcd } from './etcd-server.js';
import { ofRounds, type Section } from './figure.js';
import { bareChain, lags, ours } from './lag.js';

const rounds = 9;

export const latency: Section = async () => {
  const server = await startEtcd();
  const writer = new EtcdClient(server.origin);
  try {
    const { node } = await firstValueFrom(writer.set$('/bare', 'first'));
    const chain = bareChain(server.origin, '/bare', (node.modifiedIndex ?? 0) + 1);
    const watch = await ours({ endpoints: server.origin }, '/ours');
    const { ratio, beside } = await lags(writer, watch, chain, rounds);
    chain.stop();
    watch.stop();
    return [
      {
        bar: 'set sent → event seen, p50: to a bare long-poll chain',
        ...ofRounds(ratio(0.5)),
        target: { most: 1.2 },
        beside: beside(0.5),
      },
      {
        bar: 'set sent → event seen, p99: to a bare long-poll chain',
        ...ofRounds(ratio(0.99)),
        beside: beside(0.99),
      },
    ];
  } finally {
    writer.close();
    await server.stop();
  }
};
