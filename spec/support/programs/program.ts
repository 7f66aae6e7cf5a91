import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from './bundle-program.js';
import { CommandLine } from './command-line.js';

/** A TypeScript program of this repository as it is now, bundled with the library into a folder of its own; it may run often. */
export class Program {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-program-'));
  readonly #script: string;
  readonly #started: CommandLine[] = [];

  /** @param source its path from the root */
  constructor(source: string, root = process.cwd()) {
    this.#script = bundleProgram(source, this.#folder, root);
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
