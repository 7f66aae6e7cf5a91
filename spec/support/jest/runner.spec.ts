import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandLine } from '../programs/command-line.js';

let folder: string;
let inner: CommandLine | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxetcd-jest-'));
});
afterEach(() => {
  inner?.signal('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Runs Jest itself, in one process, on a file that holds this one test; resolves when it has ended by itself. */
async function run(body: string): Promise<{ exitCode: number | null; errors: string }> {
  const config = { rootDir: folder, testRunner: resolve(__dirname, 'runner.cjs') };
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'one.test.js'), `test('one', async () => { ${body} });`);
  const args = [
    require.resolve('jest/bin/jest'),
    '--runInBand',
    '--config',
    join(folder, 'jest.config.json'),
  ];
  // Colours would stand in the middle of what is looked for. Where `CI` is set the frame of code has them even in a pipe;
  // `FORCE_COLOR` has them whatever its value is, and Node complains of both.
  const { FORCE_COLOR: _, ...env } = process.env;
  inner = new CommandLine(spawn(process.execPath, args, { cwd: folder, env: { ...env, NO_COLOR: '1' } }));
  return { exitCode: await inner.exitCode(), errors: inner.errors };
}

const listen = `
  const server = require('node:http').createServer().listen(0);
  await require('node:events').once(server, 'listening');
  const { port } = server.address();`;
const connect = `
  const socket = require('node:net').connect(port);
  await require('node:events').once(socket, 'connect');`;
const spawned = "const child = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });";

test('what a failed test left open does not keep Jest from ending', async () => {
  const { exitCode, errors } = await run(`${listen}${connect}${spawned}
    setInterval(() => undefined, 10);
    const again = () => setTimeout(again, 10);
    again();
    expect(1).toBe(2);`);
  expect(exitCode).toBe(1);
  expect(errors).toContain('toBe(2)');
  expect(errors).not.toContain('left open');
});

test('a test that passes and leaves something open fails', async () => {
  const { exitCode, errors } = await run(listen + spawned);
  expect(exitCode).toBe(1);
  expect(errors).toMatch(/left open: ChildProcess sleep, Server port \d+\n/);
});

test('what has been told to end may take a moment', async () => {
  const { exitCode, errors } = await run(`${listen}${connect}
    socket.on('close', () => server.close());
    setTimeout(() => socket.destroy(), 500);`);
  expect([exitCode, errors]).toEqual([0, expect.stringContaining('1 passed')]);
});
