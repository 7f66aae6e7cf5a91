import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../jest/eventually.js';

/** A program that runs, and what it has printed so far. */
export class CommandLine {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown[]>;
  #printed = '';
  #errors = '';
  #asked = 0;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#exit = once(child, 'close');
    child.stdout.on('data', (part: Buffer) => (this.#printed += part.toString()));
    child.stderr.on('data', (part: Buffer) => (this.#errors += part.toString()));
  }

  get printed(): string {
    return this.#printed;
  }

  get errors(): string {
    return this.#errors;
  }

  /** Writes a line, and resolves with all that was printed since, once that holds what is expected. */
  async ask(line: string, expected: RegExp): Promise<string> {
    this.#asked = this.#printed.length;
    this.#child.stdin.write(`${line}\n`);
    return this.until(expected);
  }

  /** Resolves with what was printed since the last line was asked, once that holds what is expected. */
  async until(expected: RegExp): Promise<string> {
    const latest = () => this.#printed.slice(this.#asked);
    await eventually(
      () => {
        if (!expected.test(latest()))
          throw new Error(`${String(expected)} is not in:\n${latest()}${this.#errors}`);
      },
      { within: 30_000 },
    );
    return latest();
  }

  /** Writes the last of its input. */
  end(lines = ''): void {
    this.#child.stdin.end(lines);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code once it has ended by itself; null if a signal ended it. */
  async exitCode(): Promise<number | null> {
    const [code] = (await this.#exit) as [number | null];
    return code;
  }
}
