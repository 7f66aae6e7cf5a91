import { buildSync } from 'esbuild';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface ScriptResult {
  /** Null if it had to be ended. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A program that runs. */
export type RunningScript = ChildProcessByStdio<null, Readable, Readable>;

/** Node programs against the library as it is now, compiled without a type check (which Jest does) into a folder of its own. */
export class ScriptRunner {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-script-'));
  #scripts = 0;

  constructor(root = process.cwd()) {
    const lib = join(root, 'lib');
    const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' });
    buildSync({
      entryPoints: sources.filter((name) => name.endsWith('.ts')).map((name) => join(lib, name)),
      outbase: lib,
      outdir: this.#folder,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
    });
    const imports = { '#platform/*.js': './*.js' };
    writeFileSync(join(this.#folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /**
   * Runs a module that may import `./index.js`, and waits until it ends by itself; ends it after `limit` ms, or when it
   * has printed `endAt`. Each run has a file of its own, `script-N.js`, so that several go side by side.
   *
   * @param started gets the process as soon as it runs
   */
  async run(
    source: string,
    { limit = 10_000, endAt = '', started = (_child: RunningScript): void => undefined } = {},
  ): Promise<ScriptResult> {
    const script = join(this.#folder, `script-${(this.#scripts += 1)}.js`);
    writeFileSync(script, source);
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    started(child);
    child.stdout.on('data', (part: Buffer) => {
      if (endAt !== '' && part.toString().includes(endAt)) child.kill('SIGKILL');
    });
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    clearTimeout(timer);
    return { exitCode, stdout, stderr };
  }

  /** Removes the folder. */
  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
