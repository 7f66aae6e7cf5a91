import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type * as Undici from 'undici';
import type { Stored } from './validators.js';

/** One write. */
export interface BurstWrite {
  readonly key: string;
  readonly value: string;
  readonly ttl?: number;
  /** Not before this time since the first, ms. Default: as soon as a writer is free. */
  readonly at?: number;
}

/**
 * Writes over plain HTTP from a process of its own, so that writers and watcher share no event loop; resolves with
 * what was stored, in the order of the indexes.
 *
 * @param writers connections side by side, each with one write in flight
 */
export async function writeBurst(
  url: string,
  writes: readonly BurstWrite[],
  writers = 32,
): Promise<readonly Stored[]> {
  const script = `(${writeAll.toString()})(require('undici'), require('node:fs').readFileSync(0, 'utf8'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'pipe' });
  // A child that died early says why on stderr.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify({ url, writes, writers }));
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  if (exitCode !== 0) throw new Error(`the writers ended with ${String(exitCode)}: ${stderr}`);
  const indexes = JSON.parse(stdout) as number[];
  return writes
    .map(({ key, value }, i) => ({ key, value, index: indexes[i] ?? 0 }))
    .sort((a, b) => a.index - b.index);
}

/** Runs in the child: it may use nothing but its arguments. */
async function writeAll({ Pool }: typeof Undici, input: string): Promise<void> {
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
      const body = `value=${encodeURIComponent(value)}${ttl === undefined ? '' : `&ttl=${String(ttl)}`}`;
      const answer = await pool.request({ method: 'PUT', path: `/v2/keys${key}`, headers, body });
      const answered = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${key}: ${answered}`);
      indexes[i] = Number(/"node":.*?"modifiedIndex":(\d+)/.exec(answered)?.[1]);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  await pool.close();
  process.stdout.write(JSON.stringify(indexes));
}
