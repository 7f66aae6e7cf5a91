import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type * as Undici from 'undici';
import { distinctUntilChanged, map, of, timeout, timer } from 'rxjs';
import type { Stored } from './validators.js';

/** One write. */
export interface BurstWrite {
  readonly key: string;
  readonly value: string;
  readonly ttl?: number;
  /** Not before this time since the first, ms. Default: as soon as a writer is free. */
  readonly at?: number;
}

export interface BurstOptions {
  /** Connections side by side, each with one write in flight. Default 32. */
  readonly writers?: number;
  /**
   * How many of the writes have been seen by now: the writers never get more than 500 ahead, so that whatever else
   * this machine does, etcd's history still holds what is to be seen. If it throws, the writers end, and that is the
   * failure. Default: nobody waits.
   */
  readonly seen?: () => number;
}

/** How far the writers may get ahead: half of etcd's history. */
const mostAhead = 500;
/** So long they wait for a watch that sees nothing, ms. */
const patience = 20_000;

/**
 * Writes over plain HTTP from a process of its own, so that writers and watcher share no event loop; resolves with
 * what was stored, in the order of the indexes.
 */
export async function writeBurst(
  url: string,
  writes: readonly BurstWrite[],
  { writers = 32, seen }: BurstOptions = {},
): Promise<readonly Stored[]> {
  const script = `(${writeAll.toString()})(require('undici'), require('node:readline').createInterface(process.stdin))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'pipe' });
  // A child that died early says why on stderr.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify({ url, writes, writers })}\n`);
  const allowed$ = seen === undefined ? of(writes.length) : timer(0, 5).pipe(map(() => seen() + mostAhead));
  let failure: Error | undefined;
  const allowing = allowed$.pipe(distinctUntilChanged(), timeout({ each: patience })).subscribe({
    next: (most) => child.stdin.write(`${String(most)}\n`),
    error: (error: Error) => {
      failure = error;
      child.kill();
    },
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]).finally(() => allowing.unsubscribe());
  if (failure !== undefined) throw failure;
  if (exitCode !== 0) throw new Error(`the writers ended with ${String(exitCode)}: ${stderr}`);
  const indexes = JSON.parse(stdout) as number[];
  return writes
    .map(({ key, value }, i) => ({ key, value, index: indexes[i] ?? 0 }))
    .sort((a, b) => a.index - b.index);
}

/** Runs in the child: it may use nothing but its arguments. The first line says what, each further one how far. */
async function writeAll({ Pool }: typeof Undici, lines: Interface): Promise<void> {
  let allowed = 0;
  const waiting: (() => void)[] = [];
  const input = await new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('{')) resolve(line);
      else allowed = Number(line);
      waiting.splice(0).forEach((resume) => resume());
    });
  });
  const { url, writes, writers } = JSON.parse(input) as {
    url: string;
    writes: BurstWrite[];
    writers: number;
  };
  const pool = new Pool(url, { connections: writers });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const indexes: number[] = [];
  const startedAt = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    for (let i = next++; i < writes.length; i = next++) {
      const { key, value, ttl, at = 0 } = writes[i]!;
      const wait = at - (performance.now() - startedAt);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      while (i >= allowed) await new Promise<void>((resume) => waiting.push(resume));
      const body = `value=${encodeURIComponent(value)}${ttl === undefined ? '' : `&ttl=${String(ttl)}`}`;
      const answer = await pool.request({ method: 'PUT', path: `/v2/keys${key}`, headers, body });
      const answered = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${key}: ${answered}`);
      indexes[i] = Number(/"node":.*?"modifiedIndex":(\d+)/.exec(answered)?.[1]);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  await pool.close();
  lines.close();
  process.stdout.write(JSON.stringify(indexes));
}
