import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the library stands, compiled for programs beside the tests. */
const folder = 'node_modules/.cache/rxetcd-embedded';

/** Jest's global setup: compiles the library as it is now, without a type check, which Jest does. */
export default function compile({ rootDir }) {
  // Were the mapping of `local-cluster.js` lost, a spec would start a real etcd here and pass: it shall find none.
  process.env['ETCD_BIN'] = '/no-etcd-for-the-embedded-contract';
  const to = join(rootDir, folder);
  mkdirSync(to, { recursive: true });
  // Its own package: what stands for a platform is found beside it.
  const imports = { '#platform/*.js': './*.js' };
  writeFileSync(join(to, 'package.json'), JSON.stringify({ type: 'module', imports }));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript')), 'tsc.js');
  const flags = ['--noCheck', '--declaration', 'false', '--outDir', to];
  execFileSync(process.execPath, [tsc, '-p', join(rootDir, 'lib/tsconfig.esm.json'), ...flags]);
}
