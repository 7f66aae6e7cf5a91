import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { findEtcd } from '../spec/support/etcd/find-etcd.js';
import { v3Server } from './v3/server.js';

async function versionOf(folder: string, name: string): Promise<string> {
  const file = join(folder, 'node_modules', name, 'package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

/**
 * With what the figures were measured, in one line.
 *
 * @param v3 whether some are of the v3 API, which is measured on an etcd of its own
 */
export async function versions(v3: boolean): Promise<string> {
  const { release } = v3Server();
  const { path } = await firstValueFrom(findEtcd(v3 && release !== undefined ? { release } : {}));
  const { stdout } = await promisify(execFile)(path, ['--version']);
  const etcd = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown';
  const others = await Promise.all(
    [
      ['.', 'axios'],
      ['.', 'undici'],
      ['.', 'rxjs'],
      ['bench', v3 ? 'etcd3' : 'node-etcd'],
    ].map(async ([folder, name]) => `${name!} ${await versionOf(folder!, name!)}`),
  );
  return `Node ${process.versions.node}, etcd ${etcd}, ${others.join(', ')}; ${String(cpus().length)} cores for client, writers and etcd together.`;
}
