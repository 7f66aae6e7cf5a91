import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Observable, exhaustMap, filter, finalize, map, take, timer } from 'rxjs';

/** A lock older than this (ms) is taken to be left behind. */
const staleAfter = 300_000;

/**
 * Runs `work` while this process holds the lock file; others that ask for the same file wait, asking every 100 ms.
 * It saves double work and guards nothing that must not break: the lock of a dead process is taken over.
 */
export function withFileLock<T>(file: string, work: Observable<T>): Observable<T> {
  return timer(0, 100).pipe(
    map(() => acquire(file)),
    filter(Boolean),
    take(1),
    exhaustMap(() => work.pipe(finalize(() => rmSync(file, { force: true })))),
  );
}

function acquire(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (isStale(file)) rmSync(file, { force: true });
    return false;
  }
}

function isStale(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // An empty file is one whose owner is just writing its id.
    return Date.now() - statSync(file).mtimeMs > staleAfter || (pid > 0 && !isAlive(pid));
  } catch {
    return false; // Released meanwhile.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
