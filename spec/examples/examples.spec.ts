import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { freePorts } from '../support/ports/free-port.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { ExampleProcess } from './example-process.js';

const server = serverUnderTest();

const example = (name: string, ...args: string[]): ExampleProcess => {
  const child = new ExampleProcess(name, args, server.url);
  server.afterwards(() => child.remove());
  return child;
};

test('configuration: the service starts anew with each good configuration and ends with the key', async () => {
  const client = server.client();
  const configure = (text: string) => firstValueFrom(client.set$('/config/web', text));
  const [port = 0, other = 0] = await firstValueFrom(freePorts(2));
  const greeting = async (from: number) => (await fetch(`http://127.0.0.1:${from}`)).text();
  /** Asked again if a connection that was kept alive ended with the service before. */
  const greets = (from: number, text: string) =>
    eventually(async () => expect(await greeting(from)).toBe(text));

  await configure(JSON.stringify({ port, greeting: 'hello' }));
  const child = example('configuration');
  await child.prints(`serving "hello" on port ${port}`);
  await greets(port, 'hello');

  await configure(JSON.stringify({ port, greeting: 'good morning' }));
  await child.prints(`serving "good morning" on port ${port}`);
  await greets(port, 'good morning');

  await configure('{ "port": "none" }');
  await child.prints('ignored: port: expected a number');
  await greets(port, 'good morning');

  await configure(JSON.stringify({ port: other, greeting: 'good night' }));
  await child.prints(`serving "good night" on port ${other}`);
  await greets(other, 'good night');
  await expect(greeting(port)).rejects.toThrow();

  await firstValueFrom(client.delete$('/config/web'));
  expect(await child.ended).toBe(0);
  expect(child.lines.at(-1)).toBe('stopped: there is no configuration any more');
  expect(child.stderr).toBe('');
});

test('service-registry: instances come, expire and are renewed; one whose key is deleted ends', async () => {
  const client = server.client();
  const child = example('service-registry', 'a', '6');
  await child.prints('live: a');
  // It would expire before the other does, if it were not renewed.
  await firstValueFrom(client.set$('/svc/web/b', 'elsewhere', { ttl: 8 }));
  await child.prints('live: a b');
  const before = child.lines.length;
  await child.prints('live: a', before);
  expect(await firstValueFrom(client.exists$('/svc/web/a'))).toBe(true);

  await firstValueFrom(client.delete$('/svc/web/a'));
  expect(await child.ended).toBe(0);
  expect(child.lines.at(-1)).toBe('a is no longer announced');
  expect(child.stderr).toBe('');
  expect(await firstValueFrom(client.exists$('/svc/web/a'))).toBe(false);
});

test('leader-monitor: names who leads, notices when nobody does, and ends after so many changes', async () => {
  const child = example('leader-monitor', '3');
  await child.prints(/^nobody -> \S+ after/);
  await firstValueFrom(server.member.kill$());
  await child.prints(/^\S+ is down$/);
  await child.prints(/^\S+ -> nobody after/, 1);
  await firstValueFrom(server.member.restart$());
  expect(await child.ended).toBe(0);
  const changes = child.lines.flatMap(
    (line) => /^(\S+) -> (\S+) after \d+\.\d s$/.exec(line)?.slice(1, 3) ?? [],
  );
  const name = changes[1]!;
  expect(changes).toEqual(['nobody', name, name, 'nobody', 'nobody', name]);
  expect(child.stderr).toBe('');
});

test('tail: prints the last ten values, then each new one in its order, and ends with the directory', async () => {
  const client = server.client();
  const append = (value: string) => firstValueFrom(client.createInOrder$('/log/app', value));
  for (let n = 1; n <= 12; n += 1) await append(`line ${n}`);
  const child = example('tail', '/log/app');
  await child.prints('line 12');
  await Promise.all([append('line 13'), firstValueFrom(client.set$('/log/app/other', 'set, not appended'))]);
  await append('line 14');
  await child.prints('line 14');
  await firstValueFrom(client.deleteDir$('/log/app', { recursive: true }));
  expect(await child.ended).toBe(0);
  expect(child.lines).toEqual(Array.from({ length: 12 }, (_, i) => `line ${i + 3}`));
  expect(child.stderr).toBe('');
});

test('embedded: needs no server', async () => {
  const child = example('embedded');
  expect(await child.ended).toBe(0);
  expect(child.lines).toEqual(['sync /svc', 'set /svc/a 1', 'set /svc/b 2']);
  expect(child.stderr).toBe('');
});

test('every example has a test here', () => {
  const folder = resolve(__dirname, '../../examples');
  const programs = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  expect(programs.sort()).toEqual([
    'configuration.ts',
    'embedded.ts',
    'leader-election.ts', // leader-election.spec.ts
    'leader-monitor.ts',
    'run.ts',
    'service-registry.ts',
    'tail.ts',
  ]);
});
