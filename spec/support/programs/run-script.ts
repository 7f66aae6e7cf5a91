import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

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

  constructor(root = process.cwd()) {
    const lib = join(root, 'lib');
    for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const { outputText } = transpileModule(readFileSync(join(lib, name), 'utf8'), {
        compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
      });
      const file = join(this.#folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, outputText);
    }
    writeFileSync(join(this.#folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /**
   * Runs a module that may import `./index.js`, and waits until it ends by itself; ends it after `limit` ms, or when it
   * has printed `endAt`.
   *
   * @param started gets the process as soon as it runs
   */
  async run(
    source: string,
    { limit = 10_000, endAt = '', started = (_child: RunningScript): void => undefined } = {},
  ): Promise<ScriptResult> {
    const script = join(this.#folder, 'script.js');
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
