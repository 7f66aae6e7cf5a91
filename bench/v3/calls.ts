/** put and get of 20 bytes, 1, 32 and 128 at once, plaintext and TLS: beside npm's etcd3 over gRPC and bare JSON posts. */
import { TestCertificates } from '../../spec/support/tls/certificates.js';
import { startEtcd } from '../etcd-server.js';
import { ofRounds, type Figure, type Section } from '../figure.js';
import { compare, keyCount, type Comparison, type Contender, type Operation } from '../rounds.js';
import { npmEtcd3, rxetcdV3, undiciPosts, value } from './contenders.js';

const plan = { rounds: 11, slice: 250, value };
const own = 'rxetcd/v3';
/** For all but one at a time, where the wire alone decides. */
const least = { plaintext: 0.9, TLS: 1.2, bare: 0.8 };

const beside = (comparison: Comparison, names: readonly string[]): string =>
  names
    .map(
      (name) =>
        `${name} ${comparison.perSecond(name).median.toFixed(0)}/s, ${comparison.cpu(name).median.toFixed(0)} µs CPU`,
    )
    .join('; ');

async function figuresOf(
  wire: 'plaintext' | 'TLS',
  contenders: readonly Contender[],
): Promise<readonly Figure[]> {
  for (let key = 0; key < keyCount; key += 1) await contenders[0]!.put(key);
  const figures: Figure[] = [];
  for (const operation of ['get', 'put'] satisfies Operation[])
    for (const atOnce of [1, 32, 128]) {
      const comparison = await compare(contenders, operation, atOnce, plan);
      const title = `v3 ${operation}, ${wire}, ${String(atOnce)} at once`;
      figures.push(
        {
          bar: `${title}: requests/s, to etcd3's`,
          ...ofRounds(comparison.ratio(own, 'etcd3')),
          ...(atOnce > 1 && { target: { least: least[wire] } }),
          beside: beside(comparison, [own, 'etcd3']),
        },
        {
          bar: `${title}: to bare undici's`,
          ...ofRounds(comparison.ratio(own, 'undici')),
          ...(atOnce > 1 && { target: { least: least.bare } }),
          beside: beside(comparison, ['undici']),
        },
      );
    }
  return figures;
}

export const calls: Section = async () => {
  const certificates = new TestCertificates();
  const authority = await certificates.authority();
  const server = await startEtcd('memory', { api: 3, tls: await authority.server() });
  const figures: Figure[] = [];
  try {
    for (const [wire, origin, ca] of [
      ['plaintext', server.origin, undefined],
      ['TLS', server.secureOrigin, authority.cert],
    ] as const) {
      const contenders = [rxetcdV3, npmEtcd3, undiciPosts].map((make) => make(origin, ca));
      try {
        figures.push(...(await figuresOf(wire, contenders)));
      } finally {
        for (const contender of contenders) await contender.close();
      }
    }
    return figures;
  } finally {
    await server.stop();
    certificates.remove();
  }
};
