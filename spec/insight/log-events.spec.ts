import { EtcdClient } from '../../lib/client/etcd-client.js';
import { InvalidOptionError } from '../../lib/errors.js';
import { EventBus, type BodyText, type ClientEvent } from '../../lib/insight/events.js';
import { isAuthentication } from '../../lib/v2/wire/is-authentication.js';
import { logEvents, type LogLevel, type LogOptions } from '../../lib/insight/log-events.js';

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
type Event = WithoutTime<ClientEvent>;

const now = '2024-05-06T07:08:09.123Z';
const request = { operation: 'get', endpoint: 'http://a:2379', method: 'GET', path: '/v2/keys/a' };
const watch = { id: 7, key: '/a', endpoint: 'http://a:2379' };
const [n0, n1] = [
  { id: 'a1', name: 'n0' },
  { id: 'b2', name: 'n1' },
];

/** One of each event, its level and its line behind level and name. */
const rows: [Event, LogLevel, string][] = [
  [{ type: 'request', ...request }, 'debug', 'request get GET http://a:2379/v2/keys/a'],
  [
    { type: 'response', ...request, status: 200, durationMs: 1.4 },
    'debug',
    'response get GET http://a:2379/v2/keys/a: 200 in 1 ms',
  ],
  [
    { type: 'response', ...request, error: 'ECONNRESET', durationMs: 1.6 },
    'debug',
    'response get GET http://a:2379/v2/keys/a: ECONNRESET in 2 ms',
  ],
  [
    { type: 'response', ...request, status: 200, error: 'aborted', durationMs: 0 },
    'debug',
    'response get GET http://a:2379/v2/keys/a: 200 aborted in 0 ms',
  ],
  [
    { type: 'retry', operation: 'get /a', endpoint: 'http://a:2379', reason: 'ECONNREFUSED', attempt: 3 },
    'warn',
    'retry 3 of get /a, after http://a:2379: ECONNREFUSED',
  ],
  [
    { type: 'failover', operation: 'get /a', from: 'http://a:2379', to: 'http://b:2379' },
    'warn',
    'failover get /a: http://a:2379 -> http://b:2379',
  ],
  [
    { type: 'leader-change', previous: n0, leader: n1, durationMs: 1_234.5 },
    'info',
    'leader-change n0 -> n1 after 1235 ms',
  ],
  [{ type: 'leader-change', leader: n0, durationMs: 5 }, 'info', 'leader-change none -> n0 after 5 ms'],
  [{ type: 'leader-change', previous: n0, durationMs: 5 }, 'warn', 'leader-change n0 -> none after 5 ms'],
  [{ type: 'member-down', member: n0, durationMs: 5 }, 'warn', 'member-down n0 after 5 ms'],
  // Before it has started, or before the members are known.
  [
    { type: 'member-down', member: { id: 'a1', name: '' }, durationMs: 5 },
    'warn',
    'member-down a1 after 5 ms',
  ],
  [{ type: 'member-up', member: n0, durationMs: 5 }, 'info', 'member-up n0 after 5 ms'],
  [{ type: 'partial-view', reachable: 1, members: 3 }, 'warn', 'partial-view 1 of 3 members reached'],
  [
    { type: 'cluster-down', since: new Date(now), members: 3 },
    'warn',
    `cluster-down none of 3 members can be reached since ${now}`,
  ],
  [{ type: 'cluster-up', durationMs: 12_345 }, 'info', 'cluster-up after 12345 ms'],
  [
    { type: 'watch-live', ...watch, index: 41, durationMs: 1_234.5 },
    'info',
    'watch-live 7 /a at http://a:2379 from 41, lost for 1235 ms',
  ],
  [
    { type: 'watch-lost', ...watch, reason: 'reset', durationMs: 1_234.5 },
    'warn',
    'watch-lost 7 /a at http://a:2379, for 1235 ms: reset',
  ],
  [
    {
      type: 'watch-resync',
      ...watch,
      lost: { reason: 'rebuilt', from: 66 },
      reason: 'the cluster was rebuilt',
    },
    'warn',
    'watch-resync 7 /a at http://a:2379, lost 66 and on: the cluster was rebuilt',
  ],
  [
    { type: 'no-v2-api', endpoint: 'http://a:2379', version: '3.5.16' },
    'warn',
    'no-v2-api http://a:2379: etcd 3.5.16 (rxetcd/v3 has the client for it; 3.4 and 3.5 have v2 with --enable-v2=true)',
  ],
  [
    { type: 'no-v2-api', endpoint: 'http://a:2379' },
    'warn',
    'no-v2-api http://a:2379 (etcd rxetcd/v3 has the client for it; 3.4 and 3.5 have v2 with --enable-v2=true)',
  ],
  [
    { type: 'no-v3-api', endpoint: 'http://a:2379', version: '3.3.25' },
    'warn',
    'no-v3-api http://a:2379: etcd 3.3.25 (3.4 and later have it, unless started with --enable-grpc-gateway=false)',
  ],
  [
    { type: 'hint', operation: 'watch /a/', hint: 'this is the one key /a/' },
    'warn',
    'hint watch /a/: this is the one key /a/',
  ],
  [
    { type: 'member-list-cut', ignored: '1936 of 2000 members' },
    'warn',
    'member-list-cut not used: 1936 of 2000 members',
  ],
  [{ type: 'watch-live', ...watch, index: 41 }, 'debug', 'watch-live 7 /a at http://a:2379 from 41'],
  [{ type: 'watch-live', ...watch }, 'debug', 'watch-live 7 /a at http://a:2379'],
  [
    { type: 'watch-catching-up', ...watch, index: 41 },
    'debug',
    'watch-catching-up 7 /a at http://a:2379 from 41',
  ],
  [{ type: 'watch-waiting', ...watch, index: 41 }, 'debug', 'watch-waiting 7 /a at http://a:2379 from 41'],
  [{ type: 'watch-waiting', ...watch }, 'debug', 'watch-waiting 7 /a at http://a:2379'],
  [
    { type: 'watch-lost', ...watch, index: 41, reason: 'another member leads' },
    'warn',
    'watch-lost 7 /a at http://a:2379 from 41: another member leads',
  ],
  [{ type: 'watch-lost', ...watch, reason: 'reset' }, 'warn', 'watch-lost 7 /a at http://a:2379: reset'],
  [
    { type: 'watch-resync', ...watch, lost: { reason: 'cleared', from: 3, to: 8 }, reason: 'history lost' },
    'warn',
    'watch-resync 7 /a at http://a:2379, lost 3 to 8: history lost',
  ],
  [{ type: 'watch-ended', id: 7, key: '/a', durationMs: 60_000 }, 'info', 'watch-ended 7 /a after 60000 ms'],
  [
    { type: 'watch-ended', id: 7, key: '/a', durationMs: 9, error: 'EtcdError: x' },
    'error',
    'watch-ended 7 /a after 9 ms: EtcdError: x',
  ],
];
const levels: LogLevel[] = ['debug', 'info', 'warn', 'error'];

let bus: EventBus;
/** Prints what happens in `bus`; returns what is printed, and how. */
function log(options: LogOptions = {}) {
  const lines: string[] = [];
  const told: LogLevel[] = [];
  const write = (line: string, level: LogLevel): void => {
    lines.push(line);
    told.push(level);
  };
  return { lines, told, subscription: logEvents(bus, { write, ...options }) };
}
const body = (text: string, more: Partial<BodyText> = {}): void => {
  bus.emitBody(() => ({ ...request, direction: 'received', status: 200, body: text, ...more }));
};

beforeEach(() => {
  jest.useFakeTimers({ now: new Date(now) });
  bus = new EventBus(isAuthentication);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('a line', () => {
  test.each(rows)('of %j', (event, level, text) => {
    const { lines, told } = log({ level: 'debug' });
    bus.emit(() => event);
    expect([lines, told]).toEqual([[`${now} ${level} rxetcd ${text}`], [level]]);
  });

  test('there is one for every type of event', () => {
    const types: Record<ClientEvent['type'], true> = {
      request: true,
      response: true,
      retry: true,
      failover: true,
      'leader-change': true,
      'member-down': true,
      'member-up': true,
      'partial-view': true,
      'cluster-down': true,
      'cluster-up': true,
      'no-v2-api': true,
      'no-v3-api': true,
      hint: true,
      'member-list-cut': true,
      'watch-live': true,
      'watch-catching-up': true,
      'watch-waiting': true,
      'watch-lost': true,
      'watch-resync': true,
      'watch-ended': true,
    };
    expect([...new Set(rows.map(([{ type }]) => type))].sort()).toEqual(Object.keys(types).sort());
  });

  test('is one line, whatever keys and servers hold', () => {
    const { lines } = log({ bodies: true });
    const nasty = 'a\nb\r\nc\u2028d\u2029e\tf\u0000g\u001b[2Jh\u0085i';
    bus.emit(() => ({ type: 'watch-lost', ...watch, key: `/${nasty}`, reason: nasty }));
    body(nasty);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toContain('a b c d e f g [2Jh i');
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }
  });

  test('that is long is cut', () => {
    const { lines } = log({ bodies: true });
    body('x'.repeat(1_000_000));
    bus.emit(() => ({ type: 'watch-lost', ...watch, reason: 'y'.repeat(5_000) }));
    expect(lines.map((line) => line.slice(-5))).toEqual(['xx...', 'yy...']);
    for (const line of lines) {
      expect(line.startsWith(now)).toBe(true);
      expect(line.slice(0, -3)).toHaveLength(2_000);
    }
  });

  test('that is just short enough is not', () => {
    const { lines } = log({ bodies: true });
    body('x');
    body('x'.repeat(2_001 - (lines[0]?.length ?? 0)));
    expect(lines[1]).toHaveLength(2_000);
    expect(lines[1]?.endsWith('x')).toBe(true);
  });
});

describe('the level', () => {
  test.each<[LogLevel | undefined, LogLevel[]]>([
    ['debug', levels],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    [undefined, ['info', 'warn', 'error']],
  ])('%s prints that and what is above', (level, printed) => {
    const { told } = log({ level });
    for (const [event] of rows) {
      bus.emit(() => event);
      // What comes close together on watches that are lost is one line.
      jest.advanceTimersByTime(60_000);
    }
    expect(told).toEqual(rows.map(([, its]) => its).filter((its) => printed.includes(its)));
  });
});

describe('where it goes', () => {
  test('by default to stderr, as one argument that is no format', () => {
    const toStderr = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    logEvents(bus);
    bus.emit(() => ({ type: 'watch-ended', id: 7, key: '/%s%c%d%o', durationMs: 9 }));
    expect(toStderr.mock.calls).toEqual([[`${now} info rxetcd watch-ended 7 /%s%c%d%o after 9 ms`]]);
  });

  test.each<[LogOptions | object, string]>([
    [{ level: 'trace' }, 'level'],
    [{ level: 7 }, 'level'],
    [{ bodies: 'yes' }, 'bodies'],
    [{ write: 'console' }, 'write'],
    [{ lines: true }, 'lines'],
  ])('%j is refused at once', (options, name) => {
    expect(() => logEvents(bus, options)).toThrow(InvalidOptionError);
    expect(() => logEvents(bus, options)).toThrow(name);
  });

  test('options that are undefined are not given', () => {
    const { lines } = log({ level: undefined, bodies: undefined });
    for (const [event] of rows) {
      bus.emit(() => event);
      jest.advanceTimersByTime(60_000);
    }
    body('hush');
    expect(lines).toHaveLength(rows.filter(([, level]) => level !== 'debug').length);
  });
});

describe('bodies', () => {
  test('are not printed unless asked for, at no level', () => {
    const { lines } = log({ level: 'debug' });
    body('hush');
    expect(lines).toEqual([]);
  });

  test.each(levels)('are printed when asked for, whatever the level (%s)', (level) => {
    const { lines, told } = log({ level, bodies: true });
    bus.emitBody(() => ({ ...request, method: 'PUT', operation: 'set', direction: 'sent', body: 'value=1' }));
    body('{"action":"set"}', { method: 'PUT', operation: 'set', status: 201 });
    expect(lines).toEqual([
      `${now} debug rxetcd sent set PUT http://a:2379/v2/keys/a: value=1`,
      `${now} debug rxetcd received set PUT http://a:2379/v2/keys/a 201: {"action":"set"}`,
    ]);
    expect(told).toEqual(['debug', 'debug']);
  });

  test('of authentication are not, however its path is written', () => {
    const { lines } = log({ level: 'debug', bodies: true });
    for (const path of [
      '/v2/auth/users/x',
      '/v2//auth/users/x',
      '/v2/%61uth/users/x',
      '/v2/keys/../auth/users/x',
    ])
      body('hush', { path });
    body('hush', { operation: 'auth.createUser' });
    expect(lines).toEqual([]);
    body('shown');
    expect(lines).toHaveLength(1);
  });
});

describe('it ends', () => {
  test('when unsubscribed, and then costs nothing', () => {
    const { lines, subscription } = log({ level: 'debug', bodies: true });
    subscription.unsubscribe();
    const build = jest.fn();
    bus.emit(build);
    bus.emitBody(build);
    expect([lines, build.mock.calls]).toEqual([[], []]);
  });

  test.each([true, false])('when the client is closed (bodies: %p)', (bodies) => {
    const { subscription } = log({ bodies });
    expect(subscription.closed).toBe(false);
    bus.close();
    expect(subscription.closed).toBe(true);
  });

  test('when it has not begun before', () => {
    bus.close();
    expect(log().subscription.closed).toBe(true);
  });

  test('of a client: with the client, or before', () => {
    const client = new EtcdClient();
    const [first, second] = [client.logEvents(), client.logEvents({ level: 'error' })];
    first.unsubscribe();
    expect(second.closed).toBe(false);
    client.close();
    expect(second.closed).toBe(true);
    expect(client.logEvents().closed).toBe(true);
  });

  test('others go on', () => {
    const [first, second] = [log(), log()];
    first.subscription.unsubscribe();
    bus.emit(() => ({ type: 'member-down', member: n0, durationMs: 5 }));
    expect([first.lines.length, second.lines.length]).toEqual([0, 1]);
  });
});
