/** Requests per second: GET and PUT, 32 at once and one after the other, beside the other ways to send them. */
import { axiosOverOurs, bareHttp, nodeEtcd7, plainAxios, rxetcd, undici } from './contenders.js';
import { startEtcd } from './etcd-server.js';
import { ofRounds, type Figure, type Section } from './figure.js';
import { compare, keyCount, type Comparison, type Operation } from './rounds.js';

const plan = { rounds: 15, slice: 200 };
const rivals = ['http.request', 'undici', 'axios over the same adapter', 'axios', 'node-etcd 7'];

const beside = (comparison: Comparison): string =>
  [
    `${comparison.perSecond('rxetcd').median.toFixed(0)}/s, ${comparison.cpu('rxetcd').median.toFixed(0)} µs CPU`,
    ...rivals.map((name) => `${name} ${comparison.perSecond(name).median.toFixed(0)}`),
  ].join('; ');

export const requests: Section = async () => {
  const server = await startEtcd();
  const contenders = [rxetcd, nodeEtcd7, plainAxios, axiosOverOurs, bareHttp, undici].map((make) =>
    make(server.origin),
  );
  try {
    for (let key = 0; key < keyCount; key += 1) await contenders[0]!.put(key);
    const figures: Figure[] = [];
    for (const operation of ['get', 'put'] satisfies Operation[]) {
      const name = operation.toUpperCase();
      const many = await compare(contenders, operation, 32, plan);
      figures.push(
        {
          bar: `${name}, 32 at once: requests/s, to node-etcd's`,
          ...ofRounds(many.ratio('rxetcd', 'node-etcd 7')),
          target: { least: operation === 'get' ? 2.5 : 2.1 },
          beside: beside(many),
        },
        {
          bar: `${name}, 32 at once: to axios over the same adapter`,
          ...ofRounds(many.ratio('rxetcd', 'axios over the same adapter')),
          target: { least: 0.85 },
        },
      );
      const one = await compare(contenders, operation, 1, plan);
      figures.push({
        bar: `${name}, one at a time: to bare http.request`,
        ...ofRounds(one.ratio('rxetcd', 'http.request')),
        target: { least: 0.65 },
        beside: beside(one),
      });
    }
    return figures;
  } finally {
    for (const contender of contenders) await contender.close();
    await server.stop();
  }
};
