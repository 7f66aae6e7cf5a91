import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Observable, catchError, concatMap, defer, map, of, throwError } from 'rxjs';
import { debianEtcd } from './debian-etcd.js';
import type { DebianRelease } from './debian-etcd.js';
import { etcdEnv } from './etcd-env.js';
import { runCommand } from '../programs/run-command.js';

export interface EtcdBinary {
  path: string;
  /** As `etcd --version` says it: '3.4.23'. */
  version: string;
}

export interface FindEtcdOptions {
  /** The etcd of this Debian suite and no other. Default: $ETCD_BIN, else `etcd` on PATH, else bookworm's. */
  release?: DebianRelease;
}

/** Emits once the etcd that specs and examples run against; errors with the ways to get one. */
export function findEtcd({ release }: FindEtcdOptions = {}): Observable<EtcdBinary> {
  return defer(() => (release === undefined ? anyEtcd() : checked(debianEtcd(release)))).pipe(
    catchError((error: Error) =>
      throwError(
        () =>
          new Error(
            `No etcd found (${error.message}). Install Debian's etcd-server, or set ETCD_BIN to an etcd binary.`,
          ),
      ),
    ),
  );
}

function anyEtcd(): Observable<EtcdBinary> {
  const chosen = process.env['ETCD_BIN'];
  if (chosen) return checked(of(chosen));
  const onPath = findOnPath('etcd');
  const debian$ = checked(debianEtcd('bookworm'));
  return onPath === undefined ? debian$ : checked(of(onPath)).pipe(catchError(() => debian$));
}

/** Emits the path of the etcdctl on PATH, else of bookworm's. */
export function findEtcdctl(): Observable<string> {
  return defer(() => {
    const onPath = findOnPath('etcdctl');
    return onPath === undefined ? debianEtcd('bookworm', 'etcdctl') : of(onPath);
  });
}

function checked(path$: Observable<string>): Observable<EtcdBinary> {
  return path$.pipe(
    concatMap((path) =>
      runCommand(path, ['--version'], { env: etcdEnv(), limit: 10_000 }).pipe(
        map((output) => {
          const version = /etcd Version: (\d+\.\d+\.\d+)/.exec(output)?.[1];
          if (version === undefined) throw new Error(`${path} --version names no version`);
          return { path, version };
        }),
      ),
    ),
  );
}

function findOnPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
