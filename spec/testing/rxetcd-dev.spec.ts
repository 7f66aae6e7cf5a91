import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { readArguments } from '../../lib/testing/bin/dev-arguments.js';
import { freePorts } from '../support/ports/free-port.js';
import type { CommandLine } from '../support/programs/command-line.js';
import { exchange } from './support/raw-exchange.js';
import { Program } from '../support/programs/program.js';
import { afterEachTest } from '../support/jest/clean-up.js';

const afterwards = afterEachTest();

let program: Program;
beforeAll(() => {
  program = new Program('lib/testing/bin/rxetcd-dev.ts');
});
afterAll(() => program.remove());

/** The endpoints in the line to copy, once it serves. */
const endpointsOf = async (command: CommandLine): Promise<string[]> =>
  /^ETCD_ENDPOINTS=(.+)$/m.exec(await command.until(/^curl .+\n/m))![1]!.split(',');
const serve = async (...args: string[]): Promise<{ command: CommandLine; endpoints: string[] }> => {
  const command = program.start(args);
  return { command, endpoints: await endpointsOf(command) };
};
const body = async (answer: Promise<Response>): Promise<unknown> => (await answer).json();
/** What curl's `-d value=...` sends. */
const form = (value: string): RequestInit => ({ method: 'PUT', body: new URLSearchParams({ value }) });

/** The first of so many ports that follow one another and are free. */
const consecutivePorts = async (count: number): Promise<number> =>
  (await firstValueFrom(freePorts(1, count)))[0]!;

test('serves so that plain HTTP works, until Ctrl-C', async () => {
  const { command, endpoints } = await serve('--port', '0');
  const [url = ''] = endpoints;
  expect(endpoints).toHaveLength(1);
  expect(command.printed).toContain('not for production');
  expect(command.printed).toContain(`curl ${url}/v2/keys/hello -XPUT -d value=world\n`);

  expect(await body(fetch(`${url}/v2/keys/hello`, form('world')))).toMatchObject({
    action: 'set',
    node: { key: '/hello', value: 'world' },
  });
  const waiting = body(fetch(`${url}/v2/keys/hello?wait=true&waitIndex=5`));
  await fetch(`${url}/v2/keys/hello`, form('all'));
  expect(await waiting).toMatchObject({ node: { value: 'all' }, prevNode: { value: 'world' } });

  command.signal('SIGINT');
  expect(await command.exitCode()).toBe(0);
  expect(command.errors).toBe('');
  await expect(fetch(url)).rejects.toThrow();
});

test('members listen on consecutive ports and are one cluster; SIGTERM ends them, open watches and all', async () => {
  const port = await consecutivePorts(3);
  const { command, endpoints } = await serve('--port', String(port), '--members=3');
  expect(endpoints).toEqual([0, 1, 2].map((i) => `http://127.0.0.1:${port + i}`));
  await fetch(`${endpoints[0]!}/v2/keys/k`, form('v'));
  for (const url of endpoints)
    expect(await body(fetch(`${url}/v2/keys/k`))).toMatchObject({ node: { value: 'v' } });
  const { members } = (await body(fetch(`${endpoints[1]!}/v2/members`))) as {
    members: { name: string; clientURLs: string[] }[];
  };
  expect(members.map(({ name }) => name).sort()).toEqual(['etcd1', 'etcd2', 'etcd3']);
  expect(members.flatMap(({ clientURLs }) => clientURLs).sort()).toEqual(endpoints);

  const watch = await fetch(`${endpoints[2]!}/v2/keys/k?wait=true&stream=true`);
  command.signal('SIGTERM');
  expect(await command.exitCode()).toBe(0);
  await expect(watch.text()).rejects.toThrow();
});

test('a port that is taken is named, and nothing is left open', async () => {
  const first = await consecutivePorts(2);
  const other = createServer().listen(first + 1, '127.0.0.1');
  afterwards(() => other.close());
  await once(other, 'listening');
  const command = program.start(['--port', String(first), '--members', '2']);
  expect(await command.exitCode()).toBe(1);
  expect(command.errors).toBe(
    `rxetcd-dev: cannot listen on 127.0.0.1:${first + 1}: the port is taken (EADDRINUSE). ` +
      `2 members need the ports ${first} to ${first + 1}. Choose another --port, or --port 0 for free ones\n`,
  );
  expect(command.printed).toBe('');
});

test.each([
  [['--port', 'four'], '--port four: expected a whole number from 0 to 65535'],
  [['--port', '65535', '--members', '3'], '--port 65535: expected a whole number from 0 to 65533'],
  [['--port=-1'], '--port -1: expected a whole number from 0 to 65535'],
  [['--port'], "Option '--port <value>' argument missing"],
  [['--members', '0'], '--members 0: expected a whole number from 1 to 9'],
  [['--members', '1.5'], '--members 1.5: expected a whole number from 1 to 9'],
  [['--ports', '4001'], "Unknown option '--ports'"],
  [
    ['--allow-host', 'dev.example:80'],
    '--allow-host dev.example:80: expected a host name or an address without a port, or *',
  ],
  [['4001'], "Unexpected argument '4001'"],
])('%j is refused', (args, message) => {
  expect(() => readArguments(args)).toThrow(new Error(message));
});

test('without arguments it is one member on port 2379 of loopback', () => {
  expect(readArguments([])).toEqual({
    help: false,
    host: '127.0.0.1',
    port: 2379,
    members: 1,
    allowedHosts: [],
  });
});

test('a wrong argument ends it at once, with a word on how to go on', async () => {
  const command = program.start(['--members', 'many']);
  expect(await command.exitCode()).toBe(2);
  expect(command.errors).toBe(
    'rxetcd-dev: --members many: expected a whole number from 1 to 9\nrxetcd-dev --help tells what there is\n',
  );
});

test('a host that is not this machine is refused', async () => {
  const command = program.start(['--port', '0', '--host', '192.0.2.1']);
  expect(await command.exitCode()).toBe(1);
  expect(command.errors).toBe(
    'rxetcd-dev: cannot listen on 192.0.2.1:0: no such address on this machine (EADDRNOTAVAIL)\n',
  );
});

test('on all addresses it says who may come in, and prints URLs that can be used', async () => {
  const { command, endpoints } = await serve('--port', '0', '--host', '0.0.0.0');
  expect(command.printed).toContain('Everybody who reaches this machine');
  expect(endpoints).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)]);
  expect((await fetch(`${endpoints[0]!}/version`)).status).toBe(200);
});

test('a host that was named may call it', async () => {
  const { endpoints } = await serve('--port', '0', '--allow-host', 'dev.example', '--allow-host', 'etcd');
  const statusFor = async (host: string): Promise<number> =>
    (await exchange(endpoints[0]!, { method: 'GET', target: '/version', headers: { host } })).status;
  expect(await statusFor('dev.example:80')).toBe(200);
  expect(await statusFor('etcd')).toBe(200);
  expect(await statusFor('evil.example')).toBe(403);
});

test('--help tells what there is', async () => {
  const command = program.start(['--help']);
  expect(await command.exitCode()).toBe(0);
  expect(command.printed).toMatch(/--port N[^]*--members N[^]*--host HOST/);
});

test('it is what the package calls rxetcd-dev', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> };
  expect(bin).toEqual({ 'rxetcd-dev': 'dist/esm/testing/bin/rxetcd-dev.js' });
  const source = readFileSync('lib/testing/bin/rxetcd-dev.ts', 'utf8');
  expect(source.startsWith('#!/usr/bin/env node\n')).toBe(true);
});
