import { buildSync } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidOptionError, type ClientOptions, type EtcdClient } from 'rxetcd';
import { EmbeddedCluster, EmbeddedEtcd, testClient$ } from 'rxetcd/testing';
import { firstValueFrom, forkJoin, switchMap, tap } from 'rxjs';
import { canConnect$ } from '../support/ports/can-connect.js';
import { setEnvironment } from '../support/programs/environment.js';
import { eventually } from '../support/jest/eventually.js';
import { afterEachTest } from '../support/jest/clean-up.js';

const afterwards = afterEachTest();

let restore: () => void;
beforeEach(() => {
  restore = setEnvironment({ ETCD_ENDPOINTS: undefined });
});
afterEach(() => restore());

/** Which of these URLs somebody listens on. */
const listening = (urls: readonly string[]): Promise<boolean[]> =>
  firstValueFrom(forkJoin(urls.map((url) => canConnect$(Number(new URL(url).port)))));

/** Subscribes, and resolves with the client. */
async function open(options?: ClientOptions) {
  let client: EtcdClient | undefined;
  let completed = false;
  const subscription = testClient$(options).subscribe({
    next: (one) => (client = one),
    complete: () => (completed = true),
  });
  afterwards(() => subscription.unsubscribe());
  await eventually(() => client !== undefined);
  return { client: client!, subscription, completed: () => completed };
}

test('without ETCD_ENDPOINTS it is a client of three members, which end when it is unsubscribed', async () => {
  const { client, subscription } = await open();
  const { members } = await firstValueFrom(client.refreshCluster$());
  expect(members.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'etcd1 running',
    'etcd2 running',
    'etcd3 running',
  ]);
  const { endpoints } = client;
  expect(await listening(endpoints)).toEqual([true, true, true]);
  subscription.unsubscribe();
  expect(String(client)).toContain('(closed)');
  await eventually(async () => expect(await listening(endpoints)).toEqual([false, false, false]));
});

test('it completes when the client is closed, once the members have ended', async () => {
  const { client, completed } = await open();
  const { endpoints } = client;
  await firstValueFrom(client.set$('/k', 'v'));
  expect(completed()).toBe(false);
  client.close();
  await eventually(completed);
  expect(await listening(endpoints)).toEqual([false, false, false]);
});

test('each subscription has a cluster of its own', async () => {
  const [first, second] = await Promise.all([open(), open()]);
  await firstValueFrom(first.client.set$('/k', 'v'));
  expect(await firstValueFrom(second.client.exists$('/k'))).toBe(false);
  first.subscription.unsubscribe();
  second.subscription.unsubscribe();
});

test('a test is one expression', async () => {
  const node$ = testClient$().pipe(
    switchMap((client) => client.set$('/k', 'v').pipe(switchMap(() => client.getValue$('/k')))),
  );
  expect(await firstValueFrom(node$)).toBe('v');
});

test('a client that is closed as soon as it is emitted is told, with what to do', async () => {
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const client = await firstValueFrom(testClient$());
  const lines = said.mock.calls.map(([line]) => String(line));
  said.mockRestore();
  expect(lines).toEqual([
    expect.stringMatching(/testClient\$ at .*test-client\.spec\.ts:\d+:\d+ was closed/),
  ]);
  expect(lines[0]).toContain('behind a switchMap');
  expect(String(client)).toContain('(closed)');
});

test('a client that is used is not told so', async () => {
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  await firstValueFrom(testClient$().pipe(switchMap((client) => client.set$('/k', 'v'))));
  const { subscription } = await open();
  subscription.unsubscribe();
  const calls = said.mock.calls.length;
  said.mockRestore();
  expect(calls).toBe(0);
});

test('unsubscribed while it starts, it leaves nothing behind', async () => {
  const start = jest.spyOn(EmbeddedCluster, 'start$');
  const emitted = jest.fn();
  testClient$().subscribe(emitted).unsubscribe();
  expect(start).toHaveBeenCalledTimes(1);
  start.mockRestore();
  await new Promise((resolve) => setImmediate(resolve));
  expect(emitted).not.toHaveBeenCalled();
});

test('takes every option of the client', async () => {
  const { client, subscription } = await open({ heartbeat: 50, deadline: 5_000 });
  const probes: string[] = [];
  client.events$.subscribe((event) => {
    if (event.type === 'request' && event.operation === 'probe') probes.push(event.path);
  });
  client.clusterState$.subscribe();
  // With the default of 5 s it would take longer than this waits.
  await eventually(() => expect(probes.length).toBeGreaterThan(30), { within: 4_000 });
  subscription.unsubscribe();
});

test('an option that is wrong is its error, and ends the members', async () => {
  const started: EmbeddedCluster[] = [];
  const real = EmbeddedCluster.start$.bind(EmbeddedCluster);
  const start = jest
    .spyOn(EmbeddedCluster, 'start$')
    .mockImplementation((...args) => real(...args).pipe(tap((cluster) => started.push(cluster))));
  const wrong = { heartbeat: -1 };
  await expect(firstValueFrom(testClient$(wrong))).rejects.toBeInstanceOf(InvalidOptionError);
  start.mockRestore();
  expect(started).toHaveLength(1);
  await eventually(async () => expect(await listening(started[0]!.endpoints)).toEqual([false, false, false]));
});

describe('with ETCD_ENDPOINTS', () => {
  let etcd: EmbeddedEtcd;
  beforeEach(async () => {
    etcd = await firstValueFrom(EmbeddedEtcd.start$());
  });
  afterEach(() => firstValueFrom(etcd.stop$()));

  test.each([
    ['one URL', () => etcd.url],
    ['several, with spaces', () => ` ${etcd.url} , ${new URL(etcd.url).host},`],
  ])('it is a client of that cluster, and starts none: %s', async (_, endpoints) => {
    process.env['ETCD_ENDPOINTS'] = endpoints();
    const start = jest.spyOn(EmbeddedCluster, 'start$');
    const { client, subscription } = await open();
    expect(client.endpoints).toEqual([etcd.url]);
    await firstValueFrom(client.set$('/k', 'v'));
    subscription.unsubscribe();
    expect(start).not.toHaveBeenCalled();
    start.mockRestore();
    expect(String(client)).toContain('(closed)');
    expect((await fetch(`${etcd.url}/v2/keys/k`)).status).toBe(200);
  });

  test('endpoints among the options win', async () => {
    process.env['ETCD_ENDPOINTS'] = 'http://127.0.0.1:1';
    const { client, subscription } = await open({ endpoints: etcd.url });
    expect(client.endpoints).toEqual([etcd.url]);
    subscription.unsubscribe();
  });

  test('an empty variable is none', async () => {
    process.env['ETCD_ENDPOINTS'] = ' ,';
    const { client, subscription } = await open();
    expect(client.endpoints).toHaveLength(3);
    subscription.unsubscribe();
  });
});

describe('in the built package', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rxetcd-package-'));
    const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' });
    const entryPoints = sources.filter((file) => file.endsWith('.ts')).map((file) => join('lib', file));
    for (const format of ['esm', 'cjs'] as const)
      buildSync({ entryPoints, outdir: join(folder, 'dist', format), format, platform: 'node' });
    copyFileSync('lib/package.cjs.json', join(folder, 'dist/cjs/package.json'));
    copyFileSync('package.json', join(folder, 'package.json'));
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['ES modules', 'mjs', "import * as rxetcd from 'rxetcd'; import * as testing from 'rxetcd/testing';"],
    ['CommonJS', 'cjs', "const rxetcd = require('rxetcd'); const testing = require('rxetcd/testing');"],
  ])('the client is of the class that users import: %s', (_, extension, imports) => {
    const script = join(folder, `user.${extension}`);
    writeFileSync(
      script,
      `${imports}
      testing.testClient$().subscribe((client) => {
        console.log(client instanceof rxetcd.EtcdClient);
        client.get$('/none').subscribe({
          error: (error) => {
            console.log(error instanceof rxetcd.EtcdApiError, rxetcd.isKeyNotFound(error));
            client.close();
          },
        });
      });`,
    );
    const { ETCD_ENDPOINTS: __, ...env } = process.env;
    const printed = execFileSync(process.execPath, [script], { env, encoding: 'utf8', timeout: 30_000 });
    expect(printed).toBe('true\ntrue true\n');
  });
});
