import { EmbeddedEtcd } from 'rxetcd/testing';
import { firstValueFrom } from 'rxjs';
import { canConnect$ } from '../support/ports/can-connect.js';
import type { CommandLine } from '../support/programs/command-line.js';
import { Program } from '../support/programs/program.js';

let program: Program;
beforeAll(() => {
  program = new Program('examples/console/console.ts');
});
afterAll(() => program.remove());

/** Starts it and waits until it can be asked. */
async function open(...args: string[]): Promise<CommandLine> {
  const repl = program.start(args);
  await repl.until(/^Ctrl-C.*\n/m);
  return repl;
}
const endpointsOf = (repl: CommandLine): string[] =>
  /^ETCD_ENDPOINTS=(.+)$/m.exec(repl.printed)![1]!.split(',');
/** What is printed for the lines, each of which has to come to its end. */
async function all(...lines: string[]): Promise<string[]> {
  const repl = await open();
  const before = repl.printed.length;
  repl.end(`${lines.join('\n')}\n`);
  expect([await repl.exitCode(), repl.errors]).toEqual([0, '']);
  return repl.printed.slice(before).trimEnd().split('\n');
}

test('values of an Observable are printed as they come, one line each, and its error', async () => {
  const printed = await all(
    "client.set$('/a', 'multi\\nline')",
    "client.getValue$('/a').pipe(map((value) => value.length))",
    'of(1, 2)',
    "client.get$('/none')",
    "client.watch$('/a', { fromIndex: 1 }).pipe(take(1), map(({ node }) => node))",
  );
  expect(printed).toHaveLength(6);
  expect(printed[0]).toMatch(
    /^\{ action: 'set', node: \{ key: '\/a', value: 'multi\\nline',.* info: \{ .* \} \}$/,
  );
  expect(printed.slice(1, 4)).toEqual(['10', '1', '2']);
  expect(printed[4]).toBe('failed: EtcdApiError: get /none: Key not found (/none) [100]');
  expect(printed[5]).toMatch(
    /^\{ key: '\/a', value: 'multi\\nline', modifiedIndex: (\d+), createdIndex: \1 \}$/,
  );
});

test('it is a REPL: await, several lines, errors, and what is in scope', async () => {
  expect(
    await all(
      "const { node } = await firstValueFrom(client.set$('/k', 'v'))",
      'node.value',
      'function twice(n) {',
      'return 2 * n }',
      'twice(21)',
      'nope',
      "throw new Error('thrown')",
      'cluster.members.length',
      'typeof isKeyNotFound',
      'client instanceof EtcdClient',
    ).then((lines) => lines.map((line) => line.replace(/^(\.\.\. )+/, ''))),
  ).toEqual([
    "'v'",
    '42',
    'Uncaught ReferenceError: nope is not defined',
    'Uncaught Error: thrown',
    '3',
    "'function'",
    'true',
  ]);
});

test('the cluster can be made to fail', async () => {
  const printed = await all(
    'const first = cluster.leader.name',
    'cluster.leader.kill$().pipe(ignoreElements())',
    'client.leader$().pipe(filter((leader) => leader && leader.name !== first), take(1), map(({ isLeader }) => isLeader))',
    "client.set$('/k', 'v').pipe(map(({ action }) => action))",
  );
  expect(printed).toEqual(['true', "'set'"]);
});

test('Ctrl-C unsubscribes from what runs, and then from the session', async () => {
  const repl = await open();
  const endpoints = endpointsOf(repl);
  await repl.ask('interval(10)', /^0\n1\n2\n/);
  repl.signal('SIGINT');
  const later = await repl.ask("'next'", /'next'\n/);
  expect(later).not.toMatch(/'next'\n\d/);
  repl.signal('SIGINT');
  expect([await repl.exitCode(), repl.errors]).toEqual([0, '']);
  for (const url of endpoints)
    expect(await firstValueFrom(canConnect$(Number(new URL(url).port)))).toBe(false);
});

test('SIGTERM ends it, whatever runs', async () => {
  const repl = await open();
  await repl.ask("client.watch$('/a', { initial: true })", /action: 'sync'/);
  repl.signal('SIGTERM');
  expect([await repl.exitCode(), repl.errors]).toEqual([0, '']);
});

describe('--attach', () => {
  let etcd: EmbeddedEtcd;
  beforeAll(async () => {
    etcd = await firstValueFrom(EmbeddedEtcd.start$());
  });
  afterAll(() => firstValueFrom(etcd.stop$()));

  test('is for a cluster that runs, and leaves it running', async () => {
    const repl = await open('--attach', etcd.url);
    expect(endpointsOf(repl)).toEqual([etcd.url]);
    await repl.ask("client.set$('/from', 'console')", /action: 'set'/);
    await repl.ask('typeof cluster', /'undefined'/);
    repl.end();
    expect([await repl.exitCode(), repl.errors]).toEqual([0, '']);
    expect(await (await fetch(`${etcd.url}/v2/keys/from`)).text()).toContain('console');
  });

  test('with what is no endpoint is refused', async () => {
    const repl = program.start(['--attach', '4001']);
    expect(await repl.exitCode()).toBe(1);
    expect(repl.errors).toMatch(/^InvalidOptionError: .*endpoints.*4001.*\n$/);
  });
});
