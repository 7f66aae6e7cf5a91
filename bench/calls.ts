/** What a call costs over its wire alone: the same exchanges over the same connections, without anything of a client. */
import { ownWire, rxetcd } from './contenders.js';
import { startEtcd } from './etcd-server.js';
import { ofRounds, type Figure, type Section } from './figure.js';
import { compare, keyCount, type Operation } from './rounds.js';

const plan = { rounds: 25, slice: 150 };

export const calls: Section = async () => {
  const server = await startEtcd();
  const contenders = [rxetcd(server.origin), ownWire(server.origin)] as const;
  const [{ name }, { name: wire }] = contenders;
  try {
    for (let key = 0; key < keyCount; key += 1) await contenders[0].put(key);
    const figures: Figure[] = [];
    for (const operation of ['get', 'put'] satisfies Operation[]) {
      const title = operation.toUpperCase();
      const many = await compare(contenders, operation, 32, plan);
      figures.push({
        bar: `${title}, 32 at once: µs of CPU a call over its wire alone`,
        ...ofRounds(many.more(name, wire, ({ cpu }) => cpu)),
        target: { most: 15 },
        beside: `${many.cpu(name).median.toFixed(0)} to ${many.cpu(wire).median.toFixed(0)}`,
      });
      const one = await compare(contenders, operation, 1, plan);
      figures.push({
        bar: `${title}, one at a time: µs a call over its wire alone`,
        ...ofRounds(one.more(name, wire, ({ perSecond }) => 1e6 / perSecond)),
        beside: `${(1e6 / one.perSecond(name).median).toFixed(0)} to ${(1e6 / one.perSecond(wire).median).toFixed(0)}`,
      });
    }
    return figures;
  } finally {
    for (const contender of contenders) await contender.close();
    await server.stop();
  }
};
