import { Limits, type Limited } from '../../lib/util/limits.js';
import { seededRandom } from '../support/values/random.js';

let limits: Limits;
let passed: [string, number][];

beforeEach(() => {
  jest.useFakeTimers();
  limits = new Limits();
  passed = [];
});
afterEach(() => {
  limits.close();
  jest.useRealTimers();
});

const begin = (name: string, ms: number, work: () => void = () => undefined) => {
  const limited: Limited = {
    limitAt: performance.now() + ms,
    passed: () => {
      passed.push([name, performance.now() - begun]);
      work();
    },
  };
  return limits.add(limited, ms);
};
let begun: number;
beforeEach(() => (begun = performance.now()));

test('each passes when it is due, whatever the others may take', async () => {
  begin('a', 100);
  begin('long', 250);
  await jest.advanceTimersByTimeAsync(30);
  begin('b', 100);
  begin('short', 5);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(passed).toEqual([
    ['short', 35],
    ['a', 100],
    ['b', 130],
    ['long', 250],
  ]);
});

test('what is over never passes, and no timer is set for it', async () => {
  const set = jest.spyOn(globalThis, 'setTimeout');
  for (let i = 0; i < 1_000; i += 1) begin('over', 100).leave();
  expect(set).toHaveBeenCalledTimes(1);
  begin('stays', 100);
  await jest.advanceTimersByTimeAsync(300);
  expect(passed).toEqual([['stays', 100]]);
  set.mockRestore();
});

test('of a limit that nobody has any more nothing is left once it has passed', async () => {
  for (let ms = 1_000; ms < 1_050; ms += 1) begin('over', ms).leave();
  await jest.advanceTimersByTimeAsync(1_050);
  expect([jest.getTimerCount(), passed]).toEqual([0, []]);
  begin('later', 1_000);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(passed).toEqual([['later', 2_050]]);
});

test('what begins as others pass passes in its turn; what others end does not', async () => {
  const second = begin('ended', 100);
  const links = [second];
  begin('again', 100, () => begin('again later', 100));
  second.leave();
  begin('ends', 100, () => links.at(-1)?.leave());
  links.push(begin('ended, too', 100));
  await jest.advanceTimersByTimeAsync(500);
  expect(passed).toEqual([
    ['again', 100],
    ['ends', 100],
    ['again later', 200],
  ]);
});

test('after close nothing passes, and no timer stands', async () => {
  begin('usual', 100);
  begin('unusual', 300);
  limits.close();
  expect(jest.getTimerCount()).toBe(0);
  await jest.advanceTimersByTimeAsync(500);
  expect(passed).toEqual([]);
});

test('whatever comes and goes, all that stay pass, none late or early', async () => {
  const random = seededRandom(jest.getSeed());
  const due = new Map<string, number>();
  for (let i = 0; i < 500; i += 1) {
    const ms = [100, 100, 100, 40, 170][random.int(5)] ?? 100;
    const link = begin(String(i), ms);
    if (random.next() < 0.6) link.leave();
    else due.set(String(i), performance.now() - begun + ms);
    await jest.advanceTimersByTimeAsync(random.int(7));
  }
  await jest.advanceTimersByTimeAsync(1_000);
  expect(new Map(passed)).toEqual(due);
  expect(passed).toHaveLength(due.size);
});

test('keeps a process alive while something is there, and not by what stands by', () => {
  jest.useRealTimers();
  const held = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = held();
  const first = limits.add({ limitAt: Infinity, passed: () => undefined }, 100);
  expect(held()).toBe(before + 1);
  first.leave();
  expect(held()).toBe(before);
  const second = limits.add({ limitAt: Infinity, passed: () => undefined }, 100);
  expect(held()).toBe(before + 1);
  second.leave();
});
