import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { findEtcd } from '../spec/support/etcd/find-etcd.js';

async function versionOf(folder: string, name: string): Promise<string> {
  const file = join(folder, 'node_modules', name, 'package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

/** With what the figures were measured, in one line. */
export async function versions(): Promise<string> {
  const { path } = await firstValueFrom(findEtcd());
  const { stdout } = await promisify(execFile)(path, ['--version']);
  const etcd = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown';
  const others = await Promise.all(
    [
      ['.', 'axios'],
      ['.', 'undici'],
      ['.', 'rxjs'],
      ['bench', 'node-etcd'],
    ].map(async ([folder, name]) => `${name!} ${await versionOf(folder!, name!)}`),
  );
  return `Node ${process.versions.node}, etcd ${etcd}, ${others.join(', ')}; ${String(cpus().length)} cores for client, writers and etcd together.`;
}
