import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { eventually } from './eventually.js';

/** The programs of this folder as they are now, compiled without a type check (which Jest does) into a folder of its own. */
export class CommandLines {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-commands-'));
  readonly #started: CommandLine[] = [];

  constructor(root = process.cwd()) {
    const support = join(root, 'spec', 'support');
    for (const name of readdirSync(support)) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { outputText } = transpileModule(readFileSync(join(support, name), 'utf8'), {
        compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
      });
      writeFileSync(join(this.#folder, name.replace(/\.ts$/, '.js')), outputText);
    }
    writeFileSync(join(this.#folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Starts `name`.js. */
  start(name: string, ...args: string[]): CommandLine {
    const started = new CommandLine(spawn(process.execPath, [join(this.#folder, `${name}.js`), ...args]));
    this.#started.push(started);
    return started;
  }

  /** Ends what still runs, and removes the folder. */
  remove(): void {
    this.#started.forEach((started) => started.signal('SIGTERM'));
    rmSync(this.#folder, { recursive: true });
  }
}

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
