import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CommandLine } from '../../support/command-line.js';

/** A TypeScript program of this repository as it is now, bundled with the library into a folder of its own; it may run often. */
export class Program {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-program-'));
  readonly #script: string;
  readonly #started: CommandLine[] = [];

  /** @param source its path from the root */
  constructor(source: string, root = process.cwd()) {
    this.#script = join(this.#folder, `${basename(source, '.ts')}.mjs`);
    // The library is found by `paths` of tsconfig.json; what it depends on stays outside.
    buildSync({
      absWorkingDir: root,
      entryPoints: [source],
      outfile: this.#script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['rxjs', 'axios', 'undici', 'proxy-from-env'],
      logLevel: 'silent',
    });
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Starts it; by itself it knows no ETCD_ENDPOINTS. */
  start(args: string[] = [], env: Record<string, string> = {}): CommandLine {
    const { ETCD_ENDPOINTS: _, ...inherited } = process.env;
    const child = spawn(process.execPath, [this.#script, ...args], { env: { ...inherited, ...env } });
    const started = new CommandLine(child);
    this.#started.push(started);
    return started;
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    this.#started.forEach((started) => started.signal('SIGKILL'));
    await Promise.all(this.#started.map((started) => started.exitCode()));
    rmSync(this.#folder, { recursive: true });
  }
}
