/**
 * rxetcd beside its rivals, in the same run:
 *
 *   npm run bench                         all but the soak and v3; writes the table of the README
 *   npm run bench -- requests failover    these sections
 *   npm run bench -- v3                   those of the v3 API, on etcd 3.5 unless ETCD_BIN is set
 *   npm run bench -- --json               for machines
 *
 * Exits with 1 if a measurement fails or a bar is missed. ETCD_BIN names the server's program.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { reaches, type Figure, type Section } from './figure.js';
import { inReadme, table } from './report.js';
import { versions } from './versions.js';

/** Loaded where they run: what one needs is not on the heap of another. */
const sections: Readonly<Record<string, () => Promise<Section>>> = {
  calls: async () => (await import('./calls.js')).calls,
  requests: async () => (await import('./requests.js')).requests,
  bursts: async () => (await import('./bursts.js')).bursts,
  latency: async () => (await import('./latency.js')).latency,
  proxies: async () => (await import('./proxies.js')).proxies,
  'fan-out': async () => (await import('./fan-out.js')).fanOut,
  watches: async () => (await import('./watches.js')).watches,
  failover: async () => (await import('./failover.js')).failover,
  bundle: async () => (await import('./bundle.js')).bundle,
  soak: async () => (await import('./soak.js')).soak,
  'v3-calls': async () => (await import('./v3/calls.js')).calls,
  'v3-bursts': async () => (await import('./v3/bursts.js')).bursts,
  'v3-watches': async () => (await import('./v3/watches.js')).watches,
  'v3-failover': async () => (await import('./v3/failover.js')).failover,
};
/** Several in one word. */
const groups: Readonly<Record<string, readonly string[]>> = {
  v3: Object.keys(sections).filter((name) => name.startsWith('v3-')),
};
/** The soak takes as long as all others together; v3 is measured on another etcd than the README's figures. */
const onDemand = ['soak', ...Object.values(groups).flat()];

/** Runs a section in a process of its own, so that heaps and connections are its own. */
async function measure(name: string): Promise<readonly Figure[]> {
  const child = fork(fileURLToPath(import.meta.url), ['--section', name], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let figures: readonly Figure[] | undefined;
  child.on('message', (message) => (figures = message as Figure[]));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 || figures === undefined) throw new Error(`${name} ended with ${String(code)}`);
  return figures;
}

async function main(args: readonly string[]): Promise<void> {
  const asJson = args.includes('--json');
  const named = args.filter((arg) => !arg.startsWith('--')).flatMap((name) => groups[name] ?? name);
  const unknown = named.find((name) => !(name in sections));
  if (unknown !== undefined)
    throw new Error(`no section ${unknown}; there are ${Object.keys({ ...groups, ...sections }).join(', ')}`);
  const wanted = named.length > 0 ? named : Object.keys(sections).filter((name) => !onDemand.includes(name));
  const onV3 = new Set(wanted.map((name) => groups['v3']!.includes(name)));
  const measuredWith = (await Promise.all([...onV3].map(versions))).join('\n');
  if (!asJson) console.log(measuredWith);
  const results: Record<string, readonly Figure[]> = {};
  for (const name of wanted) {
    const figures = (results[name] = await measure(name));
    if (!asJson) console.log(`\n${name}\n${table(figures)}`);
  }
  const all = Object.values(results).flat();
  if (asJson) console.log(JSON.stringify({ versions: measuredWith, results }, undefined, 2));
  else if (named.length === 0) await inReadme(measuredWith, all);
  const missed = all.filter((figure) => reaches(figure) === false);
  for (const { bar } of missed) console.error(`missed: ${bar}`);
  if (missed.length > 0) process.exitCode = 1;
}

const args = process.argv.slice(2);
if (args[0] === '--section') {
  const section = await sections[args[1] ?? '']?.();
  const figures = await section?.();
  process.send?.(figures, () => process.disconnect());
} else {
  await main(args);
}
