import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { eventually } from '../jest/eventually.js';

/** A program that starts a child that stands still, with a folder, tells the child's id and then does `ending`. */
const program = (ending: string) => `
  const { spawn } = require('node:child_process');
  const { mkdirSync } = require('node:fs');
  const { Reaper } = require('./reaper.cjs');
  mkdirSync(process.argv[2]);
  const reaper = new Reaper(process.argv[2]);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  child.unref();
  child.kill('SIGSTOP');
  reaper.watch(child.pid);
  process.stdout.write(String(child.pid) + '\\n');
  ${ending}`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reaper-'));
  const source = readFileSync(join(__dirname, 'reaper.ts'), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(join(folder, 'reaper.cjs'), outputText);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the program and emits the child's id. */
async function run(ending: string): Promise<{ child: number; parent: ReturnType<typeof spawn> }> {
  const file = join(folder, 'program.cjs');
  writeFileSync(file, program(ending));
  const env = { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') };
  const parent = spawn(process.execPath, [file, join(folder, 'data')], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const child = await new Promise<number>((resolve, reject) => {
    parent.stdout.once('data', (text) => resolve(Number(text)));
    parent.once('error', reject);
    parent.once('close', (code) => reject(new Error(`it ended without a word, with ${String(code)}`)));
  });
  return { child, parent };
}

/** A zombie that nobody reaps is gone as well. */
function isGone(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || readFileSync(stat, 'utf8').includes(') Z ');
}

describe('Reaper ends a stopped child and removes its folder', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('when the parent gets %s', async (signal) => {
    const { child, parent } = await run('setInterval(() => {}, 1000);');
    expect(isGone(child)).toBe(false);
    parent.kill(signal);
    await eventually(() => isGone(child) && !existsSync(join(folder, 'data')), { within: 3_000 });
  });

  test.each([
    ['comes to its end', ''],
    ['exits', 'setTimeout(() => process.exit(), 50);'],
    ['throws', 'setTimeout(() => { throw new Error(); }, 50);'],
  ])('when the parent %s', async (_how, ending) => {
    const { child } = await run(ending);
    await eventually(() => isGone(child) && !existsSync(join(folder, 'data')), { within: 3_000 });
  });
});
