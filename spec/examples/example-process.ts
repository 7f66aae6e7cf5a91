import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleProgram } from '../support/programs/bundle-program.js';
import { eventually } from '../support/jest/eventually.js';

const root = resolve(__dirname, '../..');

/** One program of examples/, as it is now, in a process of its own. */
export class ExampleProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-example-'));
  readonly #child: ChildProcess;
  #printed = '';
  #stderr = '';
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;

  constructor(name: string, args: string[], endpoint: string) {
    const script = bundleProgram(`examples/${name}.ts`, this.#folder, root);
    // As `npm run example -- NAME ARGS` does it: the name is the first argument.
    this.#child = spawn(process.execPath, [script, name, ...args], {
      env: { ...process.env, ETCD_ENDPOINTS: endpoint },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout!.on('data', (part: Buffer) => (this.#printed += part.toString()));
    this.#child.stderr!.on('data', (part: Buffer) => (this.#stderr += part.toString()));
    this.ended = new Promise((done) => this.#child.once('close', done));
  }

  /** The whole lines printed so far. */
  get lines(): string[] {
    return this.#printed.split('\n').slice(0, -1);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until this was printed, after the first `after` lines. */
  async prints(line: string | RegExp, after = 0): Promise<void> {
    await eventually(
      () => {
        const found = this.lines
          .slice(after)
          .some((printed) => (typeof line === 'string' ? printed === line : line.test(printed)));
        if (!found)
          throw new Error(
            `no ${String(line)} among\n${this.lines.join('\n')}\nand on stderr\n${this.#stderr}`,
          );
      },
      { within: 30_000 },
    );
  }

  /** Ends it if it still runs, and removes what was built. */
  async remove(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.#folder, { recursive: true });
  }
}
