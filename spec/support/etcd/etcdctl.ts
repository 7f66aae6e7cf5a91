import { execFile } from 'node:child_process';
import { firstValueFrom } from 'rxjs';
import { findEtcdctl } from './find-etcd.js';

/** Runs etcdctl against a member, with that on its stdin; resolves with the lines that it prints, without empty ones. */
export async function etcdctl(endpoint: string, args: readonly string[], input = ''): Promise<string[]> {
  const program = await firstValueFrom(findEtcdctl());
  const printed = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      program,
      ['--endpoints', endpoint, ...args],
      { env: { ...process.env, ETCDCTL_API: '3' }, timeout: 30_000 },
      (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`etcdctl: ${stderr || error.message}`)),
    );
    child.stdin?.end(input);
  });
  return printed.split('\n').filter((line) => line !== '');
}
