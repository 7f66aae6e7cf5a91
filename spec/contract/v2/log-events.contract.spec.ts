import { EtcdClient, isInvalidOption, type LogLevel, type LogOptions } from 'rxetcd';
import { filter, firstValueFrom, lastValueFrom, map, merge } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

const server = serverUnderTest();
let key: string;

beforeEach(() => {
  key = server.key();
});

interface Log {
  lines: string[];
  levels: LogLevel[];
}

/** Logs what the client does. */
function logging(client: EtcdClient, options?: LogOptions): Log {
  const log: Log = { lines: [], levels: [] };
  client.logEvents({
    write: (line, level) => {
      log.lines.push(line);
      log.levels.push(level);
    },
    ...options,
  });
  return log;
}

/** A call, a failed call, a watch that loses its server and ends. */
async function live(client: EtcdClient, restart = true): Promise<void> {
  await firstValueFrom(client.set$(key, 'v'));
  await rejectionOf(client.get$(`${key}/missing`));
  const watch = client.watch$(key).subscribe();
  await eventually(async () => (await server.watchers()) > 0);
  if (restart) {
    await lastValueFrom(server.member.restart$());
    await lastValueFrom(server.member.ready$());
    await eventually(async () => (await server.watchers()) > 0);
    await firstValueFrom(client.clusterState$.pipe(filter(({ leader }) => leader !== undefined)));
  }
  watch.unsubscribe();
  // It outlives its last subscriber by a second.
  await eventually(async () => (await server.watchers()) === 0);
}

test('each event is one line with time, level, and what happened; the level says how much is printed', async () => {
  const client = server.client();
  const logs = {
    debug: logging(client, { level: 'debug' }),
    info: logging(client),
    warn: logging(client, { level: 'warn' }),
    error: logging(client, { level: 'error' }),
  };
  const events: string[] = [];
  client.events$.subscribe(({ type }) => events.push(type));
  await live(client);

  const { debug, info, warn, error } = logs;
  expect(debug.lines).toHaveLength(events.length);
  for (const [i, line] of debug.lines.entries()) {
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z (debug|info|warn|error) rxetcd /);
    expect(line).toContain(` ${debug.levels[i]!} rxetcd ${events[i]!} `);
    expect(line).not.toMatch(/[\n\r]|undefined|\[object/);
  }
  const withLevels = (...levels: LogLevel[]) =>
    debug.lines.filter((_, i) => levels.includes(debug.levels[i]!));
  expect(info.lines).toEqual(withLevels('info', 'warn', 'error'));
  expect(warn.lines).toEqual(withLevels('warn', 'error'));
  expect(error.lines).toEqual(withLevels('error'));
  expect(new Set(debug.levels)).toEqual(new Set(['debug', 'info', 'warn']));

  const has = (log: Log, text: RegExp) => log.lines.some((line) => text.test(line));
  expect(has(debug, new RegExp(`request set PUT ${server.url}/v2/keys${key}$`))).toBe(true);
  expect(
    has(debug, new RegExp(`response get GET ${server.url}/v2/keys${key}/missing: 400 in \\d+ ms$`)),
  ).toBe(true);
  expect(has(debug, new RegExp(`watch-live 1 ${key} at ${server.url}( from \\d+)?$`))).toBe(true);
  expect(has(warn, new RegExp(`watch-lost 1 ${key} at ${server.url}( from \\d+)?: .+`))).toBe(true);
  expect(has(warn, /member-down etcd1 after \d+ ms$/)).toBe(true);
  expect(has(info, /member-up etcd1 after \d+ ms$/)).toBe(true);
  expect(has(info, new RegExp(`watch-ended 1 ${key} after \\d+ ms$`))).toBe(true);
  expect(has(info, /leader-change none -> etcd1 after \d+ ms$/)).toBe(true);
  expect(has(info, / request | response /)).toBe(false);
});

test('bodies: true prints what goes over the wire, whatever the level', async () => {
  const client = server.client();
  const log = logging(client, { level: 'error', bodies: true });
  const without = logging(client, { level: 'debug' });
  await firstValueFrom(client.set$(key, 'the välue', { ttl: 100 }));
  await firstValueFrom(client.get$(key));
  await rejectionOf(client.get$(`${key}-missing`));
  const line = (text: string) => log.lines.filter((one) => one.includes(text));
  expect(
    line(`debug rxetcd sent set PUT ${server.url}/v2/keys${key}: value=the%20v%C3%A4lue&ttl=100`),
  ).toHaveLength(1);
  expect(line(`received get GET ${server.url}/v2/keys${key} 200: {"action":"get"`)).toHaveLength(1);
  expect(line('"value":"the välue"').length).toBeGreaterThanOrEqual(2);
  expect(line(`/v2/keys${key}-missing 404: {"errorCode":100`)).toHaveLength(1);
  expect(log.lines.filter((one) => /[\n\r]/.test(one))).toEqual([]);
  // Without bodies nothing of it.
  expect(without.lines.length).toBeGreaterThan(0);
  expect(without.lines.join('\n')).not.toMatch(/v(ä|%C3%A4)lue/);
});

test('a line is never endless', async () => {
  const client = server.client();
  const log = logging(client, { bodies: true });
  await firstValueFrom(client.set$(key, `a\nb${'x'.repeat(100_000)}`));
  expect(Math.max(...log.lines.map((line) => line.length))).toBeLessThan(2_100);
  expect(log.lines.some((line) => line.endsWith('xxx...'))).toBe(true);
});

test('a key with a line end stays in its line', async () => {
  const client = server.client();
  const log = logging(client, { level: 'debug' });
  const watch = client.watch$(`${key}/a\n2024 error rxetcd forged`).subscribe();
  await eventually(() => log.lines.some((line) => line.includes('watch-live')));
  watch.unsubscribe();
  expect(log.lines.filter((line) => line.includes('\n'))).toEqual([]);
});

test('no credential, no body of authentication, whatever is printed', async () => {
  const secrets = ['Root-hush-1', 'First-hush-2', 'Second-hush-3', 'Third-hush-4', 'Bearer-hush-5'];
  const [root = '', first = '', second = '', third = '', token = ''] = secrets;
  const user = key.slice(1);
  const printed: string[] = [];
  const printing = (client: EtcdClient): EtcdClient => {
    const write = (line: string) => printed.push(line);
    client.logEvents({ level: 'debug', bodies: true, write });
    client.events$.subscribe((event) => printed.push(JSON.stringify(event)));
    return client;
  };
  const anyone = printing(server.client());
  await firstValueFrom(anyone.auth.createUser$('root', root));
  const asRoot = printing(server.client({ auth: { username: 'root', password: root } }));
  await firstValueFrom(asRoot.auth.enable$());
  server.afterwards(() => firstValueFrom(asRoot.auth.disable$()));
  const { auth } = asRoot;
  await firstValueFrom(auth.createRole$(user, { read: ['/hush-pattern/*'] }));
  await firstValueFrom(auth.createUser$(user, first));
  await rejectionOf(auth.createUser$(user, first, { roles: [user] }));
  await firstValueFrom(auth.updateUser$(user, { password: second }));
  await firstValueFrom(auth.updateUser$(user, { password: second, grant: [user] }));
  await firstValueFrom(auth.users$());
  const other = printing(server.client({ auth: { username: user, password: 'Wrong-hush-6' } }));
  await rejectionOf(other.auth.users$());
  await rejectionOf(other.get$(key));
  await rejectionOf(other.watch$(key));
  // By raw$, and by ways around the path.
  const data = { user, password: third };
  for (const path of [`/v2/auth/users/${user}`, `/v2/%61uth/users/${user}`, `/v2/keys/../auth/users/${user}`])
    await firstValueFrom(
      asRoot.raw$('PUT', path, { data: path.includes('keys') ? JSON.stringify(data) : data }),
    );
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  await firstValueFrom(asRoot.raw$('GET', `/v2/keys${key}`, bearer));
  await firstValueFrom(asRoot.set$(key, 'seen in the log'));
  await lastValueFrom(merge(asRoot.health$(), asRoot.members.list$()));
  await rejectionOf(auth.createUser$(user, `${third}\uD800`));

  const output = printed.join('\n');
  expect(output).toContain('seen%20in%20the%20log');
  expect(output).toContain(`request auth.updateUser PUT ${server.url}/v2/auth/users/${user}`);
  // A watch that ends in an error is one of the log.
  expect(output).toMatch(
    new RegExp(`error rxetcd watch-ended 1 ${key} after \\d+ ms: .*Insufficient credentials`),
  );
  for (const secret of [...secrets, 'Wrong-hush-6']) {
    expect(output).not.toContain(secret);
    for (const name of ['root', user]) {
      expect(output).not.toContain(Buffer.from(`${name}:${secret}`).toString('base64'));
      expect(output).not.toContain(Buffer.from(`${name}:${secret}`).toString('base64url'));
    }
  }
  expect(output).not.toMatch(/authorization|Basic |Bearer |"password"|hush-pattern/i);
});

test('it ends with its subscription, or with the client', async () => {
  const client = server.client();
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const subscription = client.logEvents({ level: 'debug', write });
  await firstValueFrom(client.set$(key, 'v'));
  expect(lines.length).toBeGreaterThan(0);
  subscription.unsubscribe();
  lines.length = 0;
  await firstValueFrom(client.set$(key, 'w'));
  expect(lines).toEqual([]);
  const second = client.logEvents({ level: 'debug', write });
  client.close();
  expect(second.closed).toBe(true);
});

test('by default to stderr, from info on', async () => {
  const write = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  server.afterwards(() => {
    write.mockRestore();
  });
  const client = server.client();
  client.logEvents();
  await firstValueFrom(client.set$(key, 'v'));
  await eventually(() => write.mock.calls.length > 0);
  for (const [line] of write.mock.calls) expect(line).toMatch(/Z (info|warn|error) rxetcd /);
});

test('it opens nothing by itself', async () => {
  const proxy = await server.proxy();
  const client = server.client({ endpoints: proxy.url });
  client.logEvents({ level: 'debug', bodies: true, write: () => undefined });
  await (await server.fetch('/keys/')).text();
  expect(proxy.accepted).toBe(0);
});

test.each<[string, unknown]>([
  ['level', 'verbose'],
  ['level', 3],
  ['bodies', 'yes'],
  ['write', 'stderr'],
  ['leven', 3],
])('it refuses %s: %p', (option, value) => {
  const client = new EtcdClient();
  let error: unknown;
  try {
    client.logEvents({ [option]: value });
  } catch (thrown) {
    error = thrown;
  }
  client.close();
  expect(isInvalidOption(error)).toBe(true);
  expect(error).toMatchObject({ option, value });
});

test('the text of an option that nobody knows is not shown: it could be a secret', () => {
  const client = new EtcdClient();
  let error: unknown;
  try {
    client.logEvents({ leven: 'hush-hush' } as never);
  } catch (thrown) {
    error = thrown;
  }
  client.close();
  expect(error).toMatchObject({ option: 'leven', value: undefined });
  expect(String(error)).not.toContain('hush');
});

test('many watches on a server that is away for a while: few lines, one on the cluster, and how long it was', async () => {
  const client = server.client({ heartbeat: 200, retry: { maxDelay: 100 } });
  const log = logging(client);
  const watches = Array.from({ length: 60 }, (_, i) => client.watch$(`${key}/${String(i)}`).subscribe());
  server.afterwards(() => watches.forEach((watch) => watch.unsubscribe()));
  const states = () => firstValueFrom(client.watches$.pipe(map((all) => new Set(all.map((w) => w.state)))));
  await eventually(async () => expect([...(await states())]).toEqual(['live']));
  log.lines.length = 0;
  await lastValueFrom(server.member.kill$());
  server.afterwards(() => lastValueFrom(server.member.restart$()));
  const told = (what: RegExp) => log.lines.filter((line) => what.test(line));
  // The loss of one, that of all, and once more that it lasts.
  await eventually(() => expect(told(/ warn rxetcd watch-lost 60 watches are lost/).length).toBe(2));
  expect(told(/ warn rxetcd cluster-down none of 1 members can be reached since /)).toHaveLength(1);
  expect(told(/ watch-lost /).length).toBeLessThan(6);
  expect(told(/ watch-live /)).toEqual([]);
  await lastValueFrom(server.member.restart$());
  await eventually(async () => expect([...(await states())]).toEqual(['live']));
  expect(told(/ info rxetcd cluster-up after \d+ ms$/)).toHaveLength(1);
  expect(told(/ info rxetcd watch-live \d+ .* lost for \d+ ms$/).length).toBeGreaterThan(0);
  expect(told(/ info rxetcd watch-live .* watches are back, after up to \d+ ms$/).length).toBeGreaterThan(0);
  expect(told(/ watch-/).length).toBeLessThan(20);
});
