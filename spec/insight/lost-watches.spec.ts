import { EventBus } from '../../lib/insight/events.js';
import { logEvents, type LogLevel } from '../../lib/insight/log-events.js';

/* What a log at its usual level says of watches that are lost: readable, whether it is one or a thousand. */
let bus: EventBus;
let begun: number;
/** The seconds since the test began, and what is said. */
let said: [number, string][];
let levels: LogLevel[];

const endpoint = 'http://a:2379';
/** When each watch was lost. */
const lostAt = new Map<number, number>();
const key = (id: number) => `/k${String(id)}`;
function lose(id: number): void {
  const since = lostAt.get(id);
  const lost = since === undefined ? {} : { durationMs: Date.now() - since };
  lostAt.set(id, since ?? Date.now());
  bus.emit(() => ({ type: 'watch-lost', id, key: key(id), endpoint, reason: 'ECONNREFUSED', ...lost }));
}
function stand(id: number): void {
  const since = lostAt.get(id);
  const lost = since === undefined ? {} : { durationMs: Date.now() - since };
  lostAt.delete(id);
  bus.emit(() => ({ type: 'watch-live', id, key: key(id), endpoint, ...lost }));
}
const end = (id: number): void => {
  bus.emit(() => ({ type: 'watch-ended', id, key: key(id), durationMs: 1 }));
};
const pass = (ms: number) => jest.advanceTimersByTime(ms);
const ids = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

beforeEach(() => {
  jest.useFakeTimers();
  lostAt.clear();
  begun = Date.now();
  said = [];
  levels = [];
  bus = new EventBus();
  logEvents(bus, {
    write: (line, level) => {
      said.push([(Date.now() - begun) / 1_000, line.replace(/^\S+ \S+ rxetcd /, '')]);
      levels.push(level);
    },
  });
});
afterEach(() => jest.useRealTimers());

test('one that is lost for ten minutes, with a try each 1.5 s: growing intervals, then how long it was', () => {
  stand(1);
  for (let n = 0; n < 400; n += 1) {
    lose(1);
    pass(1_500);
  }
  stand(1);
  expect(said.map(([at]) => at)).toEqual([0, 1.5, 4.5, 9, 18, 34.5, 67.5, 132, 261, 517.5, 600]);
  expect(said[0]?.[1]).toBe('watch-lost 1 /k1 at http://a:2379: ECONNREFUSED');
  expect(said[1]?.[1]).toBe('watch-lost 1 /k1 at http://a:2379, for 1500 ms: ECONNREFUSED');
  expect(said.at(-1)?.[1]).toBe('watch-live 1 /k1 at http://a:2379, lost for 600000 ms');
  expect(levels).toEqual([...Array<string>(10).fill('warn'), 'info']);
});

test('lost anew it is told anew, and at once', () => {
  for (let n = 0; n < 40; n += 1) {
    lose(1);
    pass(1_500);
  }
  stand(1);
  const { length } = said;
  pass(1_000);
  lose(1);
  pass(1_500);
  lose(1);
  expect(said.slice(length).map(([at]) => at)).toEqual([61, 62.5]);
});

test('a thousand on a dead cluster, for an hour: a line for the first, then one for all, at growing intervals', () => {
  for (const id of ids(1_000)) stand(id);
  for (const id of ids(1_000)) lose(id);
  bus.emit(() => ({ type: 'cluster-down', since: new Date(begun), members: 3 }));
  // Each tries on, at times of its own.
  for (const round of [1_000, 2_000, 4_000, ...Array<number>(40).fill(90_000)]) {
    for (let part = 0; part < 10; part += 1) {
      for (const id of ids(100)) lose(part * 100 + id);
      pass(round / 10);
    }
  }
  const down = new Date(begun).toISOString();
  expect(said.slice(0, 3)).toEqual([
    [0, 'watch-lost 1 /k1 at http://a:2379: ECONNREFUSED'],
    [0, `cluster-down none of 3 members can be reached since ${down}`],
    [
      1,
      `watch-lost 1000 watches are lost, the longest for 1000 ms, no member can be reached since ${down}; ` +
        'the latest: 1 /k1 at http://a:2379: ECONNREFUSED',
    ],
  ]);
  expect(said.length).toBeLessThan(25);
  said.length = 0;
  bus.emit(() => ({ type: 'cluster-up', durationMs: 3_607_000 }));
  for (const id of ids(1_000)) {
    pass(1);
    stand(id);
  }
  expect(said.map(([, line]) => line)).toEqual([
    'cluster-up after 3607000 ms',
    'watch-live 1 /k1 at http://a:2379, lost for 3607001 ms',
    'watch-live 999 watches are back, after up to 3608000 ms',
  ]);
});

test('when a leader goes, for 300 ms: what befell the first, and that the others are back', () => {
  for (const id of ids(50)) lose(id);
  pass(300);
  for (const id of ids(50)) stand(id);
  expect(said.map(([, line]) => line)).toEqual([
    'watch-lost 1 /k1 at http://a:2379: ECONNREFUSED',
    'watch-live 1 /k1 at http://a:2379, lost for 300 ms',
    'watch-live 49 watches are back, after up to 300 ms',
  ]);
});

test('another that is lost while one is, for minutes: its loss is told at once', () => {
  for (let n = 0; n < 100; n += 1) {
    lose(1);
    pass(1_500);
  }
  const { length } = said;
  lose(2);
  expect(said.slice(length)).toEqual([[150, 'watch-lost 2 /k2 at http://a:2379: ECONNREFUSED']]);
  // Nor does it make the first one's lines come faster.
  for (let n = 0; n < 20; n += 1) {
    lose(1);
    lose(2);
    pass(1_500);
  }
  expect(said.length - length).toBeLessThanOrEqual(2);
});

test('one that falls and stands all the time: a line a second at most, and none is left out in the end', () => {
  for (let n = 0; n < 100; n += 1) {
    lose(1);
    pass(50);
    stand(1);
    pass(50);
  }
  const told = (type: string) => said.filter(([, line]) => line.startsWith(type));
  expect(told('watch-lost').length).toBeLessThanOrEqual(10);
  expect(told('watch-lost').length).toBeGreaterThan(5);
});

test('those that end while they are lost are not counted, nor is their loss that of the next', () => {
  for (const id of [1, 2, 3]) lose(id);
  end(1);
  end(2);
  pass(1_500);
  lose(3);
  expect(said.at(-1)?.[1]).toBe('watch-lost 3 /k3 at http://a:2379, for 1500 ms: ECONNREFUSED');
  end(3);
  pass(1_000);
  lose(4);
  expect(said.at(-1)).toEqual([2.5, 'watch-lost 4 /k4 at http://a:2379: ECONNREFUSED']);
});

test('at level debug each try is a line', () => {
  const lines: string[] = [];
  const some: LogLevel[] = [];
  logEvents(bus, {
    level: 'debug',
    write: (line, level) => {
      lines.push(line);
      some.push(level);
    },
  });
  for (const id of ids(20)) lose(id);
  expect([lines.length, some.filter((level) => level === 'warn').length]).toEqual([20, 1]);
});
