import { firstValueFrom, forkJoin } from 'rxjs';
import { canConnect$ } from '../ports/can-connect.js';
import type { CommandLine } from '../programs/command-line.js';
import { Program } from '../programs/program.js';

let program: Program;
let command: CommandLine;

beforeAll(() => {
  program = new Program('spec/support/cluster/cluster-command.ts');
});
afterAll(() => program.remove());

/** Starts it and resolves with the endpoints to copy. */
async function start(): Promise<string[]> {
  command = program.start();
  const printed = await command.until(/^etcd3 .*/m);
  return /^ETCD_ENDPOINTS=(.+)$/m.exec(printed)![1]!.split(',');
}

/** Which of them somebody listens on. */
const listening = (urls: string[]) =>
  firstValueFrom(forkJoin(urls.map((url) => canConnect$(Number(new URL(url).port)))));

/** The lines of a status, without URLs. */
async function status(): Promise<string[]> {
  const lines = (await command.ask('status', /^etcd3 .*\n/m)).trim().split('\n');
  return lines.map((line) =>
    line
      .replace(/http\S+/, '')
      .replace(/ +/g, ' ')
      .trim(),
  );
}
const leaderIn = (lines: string[]) => lines.find((line) => line.endsWith('leads'))!.split(' ')[0]!;

test('three members that can be made to fail, one command after the other', async () => {
  const endpoints = await start();
  expect(await listening(endpoints)).toEqual([true, true, true]);
  expect(command.printed).toContain('partition [member ...]');
  const first = leaderIn(await status());

  expect(await command.ask('kill leader', /killed\n/)).toBe(`${first} killed\n`);
  expect((await listening(endpoints)).filter(Boolean)).toHaveLength(2);
  expect(await status()).toContain(`${first} down`);
  await command.ask('restart', new RegExp(`^${first} restarted\n`));

  const [, second = ''] = /^(\w+) cut off\n/.exec(await command.ask('partition', /cut off\n/))!;
  expect((await status()).find((line) => line.startsWith(second))).toContain('running, cut off');
  await command.ask('heal', new RegExp(`^${second} healed\n`));

  const [, third = ''] = /^(\w+) stopped\n/.exec(await command.ask('stop follower', /stopped\n/))!;
  expect(await status()).toContain(`${third} stopped`);
  await command.ask('resume', new RegExp(`^${third} resumed\n`));

  expect(await command.ask('kill 2 etcd3', /etcd3 killed\n/)).toBe('etcd2 killed\netcd3 killed\n');
  expect(await listening(endpoints)).toEqual([true, false, false]);
  await command.ask('down', /$/);
  expect(await command.exitCode()).toBe(0);
  expect(await listening(endpoints)).toEqual([false, false, false]);
  expect(command.errors).toBe('');
}, 180_000);

test('says what there is when it does not understand', async () => {
  await start();
  expect(await command.ask('explode', /down \| help/)).toContain('unknown: explode. There is: status | kill');
  expect(await command.ask('kill 4', /etcd3/)).toBe('no member 4: there are etcd1, etcd2, etcd3\n');
  expect(await command.ask('heal', /all the same/)).toContain('no member needs it');
  await command.ask('stop 1', /etcd1 stopped/);
  expect(await command.ask('HELP', /ends its partition[^]*$/)).toContain('Ctrl-C');
  command.signal('SIGINT');
  expect(await command.exitCode()).toBe(0);
});

test.each([
  ['the end of its input, after what was piped in', () => command.end('kill 1\nstatus'), 'etcd1 killed'],
  ['Ctrl-C', () => command.signal('SIGINT'), ''],
  ['SIGTERM', () => command.signal('SIGTERM'), ''],
])('ends every process at %s', async (_, end, printed) => {
  const endpoints = await start();
  end();
  expect(await command.exitCode()).toBe(0);
  expect(command.printed).toContain(printed);
  expect(await listening(endpoints)).toEqual([false, false, false]);
});
