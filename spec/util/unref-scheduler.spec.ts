import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { asyncScheduler, interval, of, subscribeOn, take, timer, toArray, type SchedulerAction } from 'rxjs';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { unrefScheduler } from '../../lib/util/unref-scheduler.js';

const root = join(__dirname, '../..');

/** Runs a program with `unrefScheduler` and rxjs in scope; resolves when it has ended. */
async function run(program: string): Promise<{ code: number | null; output: string }> {
  const source = readFileSync(join(root, 'lib/util/unref-scheduler.ts'), 'utf8');
  const { outputText } = transpileModule(source, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 },
  });
  const { stdout, ...child } = (() => {
    const process_ = spawn(
      process.execPath,
      ['-e', `${outputText}; const { unrefScheduler } = exports; const rxjs = require('rxjs'); ${program}`],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000, killSignal: 'SIGKILL' },
    );
    return { stdout: process_.stdout, exit: once(process_, 'exit') as Promise<[number | null]> };
  })();
  const [output, [code]] = await Promise.all([text(stdout), child.exit]);
  return { code, output: output.trim() };
}

describe('unrefScheduler in a process of its own', () => {
  test('an endless interval does not keep the process alive', async () => {
    const ended = await run('rxjs.interval(5, unrefScheduler).subscribe(); console.log("working");');
    expect(ended).toEqual({ code: 0, output: 'working' });
  });

  test('the interval goes on while something else does', async () => {
    const ended = await run(`
      const busy = setInterval(() => {}, 1000);
      rxjs.interval(5, unrefScheduler).subscribe((n) => {
        if (n === 3) { console.log(n); clearInterval(busy); }
      });`);
    expect(ended).toEqual({ code: 0, output: '3' });
  });
});

describe('unrefScheduler', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('beats as asyncScheduler does', () => {
    const beats: Record<string, unknown[]> = { async: [], unref: [] };
    interval(10, asyncScheduler)
      .pipe(take(3))
      .subscribe((n) => beats['async']?.push([n, Date.now()]));
    interval(10, unrefScheduler)
      .pipe(take(3))
      .subscribe((n) => beats['unref']?.push([n, Date.now()]));
    jest.advanceTimersByTime(100);
    expect(beats['unref']).toHaveLength(3);
    expect(beats['unref']).toEqual(beats['async']);
  });

  test('each of its timers is unreferenced, those that it sets again too', () => {
    const timers: NodeJS.Timeout[] = [];
    const fake = setTimeout;
    const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation((work: () => void, ms?: number) => {
      const handle = fake(work, ms);
      timers.push(handle);
      return handle;
    });
    const subscription = interval(10, unrefScheduler).subscribe();
    jest.advanceTimersByTime(30);
    expect(timers).toHaveLength(4);
    expect(timers.map((t) => t.hasRef())).toEqual([false, false, false, false]);
    subscription.unsubscribe();
    spy.mockRestore();
  });

  test('unsubscribing leaves no timer behind, and neither does work that is done', () => {
    const subscription = interval(10, unrefScheduler).subscribe();
    timer(10, unrefScheduler).subscribe();
    expect(jest.getTimerCount()).toBe(2);
    jest.advanceTimersByTime(10);
    expect(jest.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('hands its state on, and may be stopped from within the work', () => {
    const seen: number[] = [];
    unrefScheduler.schedule(
      function (this: SchedulerAction<number>, n = 0) {
        seen.push(n);
        this.schedule(n + 1, 10);
        if (n === 2) this.unsubscribe();
      },
      10,
      0,
    );
    jest.advanceTimersByTime(1_000);
    expect(seen).toEqual([0, 1, 2]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('works without a delay, after the caller', () => {
    const seen: string[] = [];
    of('a', 'b')
      .pipe(subscribeOn(unrefScheduler), toArray())
      .subscribe((all) => seen.push(...all));
    expect(seen).toEqual([]);
    jest.advanceTimersByTime(0);
    expect(seen).toEqual(['a', 'b']);
  });

  test('tells the time', () => {
    expect(unrefScheduler.now()).toBe(Date.now());
  });
});
