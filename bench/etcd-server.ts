/**
 * One real etcd on loopback, for the time of a measurement.
 */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { findEtcd } from '../spec/support/find-etcd.js';

export interface EtcdServer {
  readonly host: string;
  readonly port: number;
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Starts the etcd that `findEtcd` finds and waits until it answers. */
export async function startEtcd(): Promise<EtcdServer> {
  const host = '127.0.0.1';
  const [port, peerPort] = [await freePort(), await freePort()];
  const origin = `http://${host}:${port}`;
  const peers = `http://${host}:${peerPort}`;
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const dataDir = await mkdtemp(join(base, 'rxetcd-bench-'));
  const { path } = await firstValueFrom(findEtcd());
  const child = spawn(
    path,
    [
      '--name',
      'bench',
      '--enable-v2=true',
      '--data-dir',
      dataDir,
      '--listen-client-urls',
      origin,
      '--advertise-client-urls',
      origin,
      '--listen-peer-urls',
      peers,
      '--initial-advertise-peer-urls',
      peers,
      '--initial-cluster',
      `bench=${peers}`,
    ],
    { stdio: 'ignore' },
  );
  let failure: Error | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('exit', (code, signal) => {
      failure ??= new Error(`etcd ended (${code ?? signal ?? 'unknown'})`);
      resolve();
    });
  });
  const killNow = (): void => {
    child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', killNow);

  const stop = async (): Promise<void> => {
    process.off('exit', killNow);
    child.kill('SIGKILL');
    await gone;
    await rm(dataDir, { recursive: true, force: true });
  };

  for (let waited = 0; ; waited += 50) {
    if (failure !== undefined || waited > 15_000) {
      await stop();
      throw failure ?? new Error('etcd did not become ready within 15 s');
    }
    const healthy = await fetch(`${origin}/health`)
      .then(async (answer) => (await answer.text()).includes('"true"'))
      .catch(() => false);
    if (healthy) break;
    await sleep(50);
  }
  return { host, port, origin, pid: child.pid ?? -1, stop };
}
