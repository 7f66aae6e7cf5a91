import { Subject, firstValueFrom, type Subscription } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { httpGet } from '../etcd/http-get.js';
import { startScriptedServer, type ScriptedServer } from '../scripted/scripted-server.js';
import { startMiddlebox, type Middlebox } from './middlebox.js';
import type { Deed, Moment, Schedule } from './schedule.js';

let server: ScriptedServer;
let box: Middlebox;
/** What the server sends to those who wait. */
let told: Subject<string>;
let playing: Subscription | undefined;
const opened: AbortController[] = [];

beforeEach(async () => {
  told = new Subject();
  server = await firstValueFrom(
    startScriptedServer(({ path }) =>
      path === '/keys' ? { status: 200, body: told } : { status: 200, body: 'hello' },
    ),
  );
  box = await firstValueFrom(startMiddlebox(server.url));
});
afterEach(async () => {
  playing?.unsubscribe();
  for (const one of opened.splice(0)) one.abort();
  await firstValueFrom(box.close$());
  await firstValueFrom(server.close$());
});

const play = (...schedule: Schedule) => (playing = box.play$(schedule).subscribe());
const now = (deed: Deed): Moment & Deed => ({ atMs: 0, ...deed });
const hello = async () => (await firstValueFrom(httpGet(`${box.url}/`, 5_000))).body;

/** One who waits for events, as a watch does: what has come to it so far. */
class Waiting {
  headAt: number | undefined;
  text = '';
  end: 'whole' | 'broken' | undefined;

  constructor() {
    const aborting = new AbortController();
    opened.push(aborting);
    void this.#read(aborting.signal);
  }

  /** Waits until the server has its request. */
  async stands(count = 1): Promise<this> {
    await eventually(() => server.requests.filter(({ path }) => path === '/keys').length === count);
    return this;
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      const { body } = await fetch(`${box.url}/keys?wait=true`, { signal });
      this.headAt = performance.now();
      for await (const piece of body!.pipeThrough(new TextDecoderStream())) this.text += piece;
      this.end = 'whole';
    } catch {
      this.end = 'broken';
    }
  }
}

test('passes everything on at once while it has nothing to do', async () => {
  const waiting = await new Waiting().stands();
  await eventually(() => waiting.headAt !== undefined);
  told.next('a');
  await eventually(() => waiting.text === 'a');
  told.next('b');
  told.complete();
  await eventually(() => waiting.end === 'whole');
  expect(waiting.text).toBe('ab');
});

describe('stall', () => {
  test.each(['toClient', 'both'] as const)(
    'holds one connection back (%s) while others pass',
    async (way) => {
      const [first, second] = [await new Waiting().stands(1), await new Waiting().stands(2)];
      await eventually(() => first.headAt !== undefined && second.headAt !== undefined);
      play(now({ do: 'stall', among: 'legs', link: 0, way, forMs: 400 }));
      await eventually(() => box.tally.legsStalled === 1);
      told.next('a');
      await eventually(() => second.text === 'a');
      expect(first.text).toBe('');
      expect(await hello()).toBe('hello');
      await eventually(() => first.text === 'a');
      expect(box.tally).toMatchObject({ legsStalled: 1, othersStalled: 0, legsEnded: 0 });
    },
  );

  test('begins at a piece: the head of the next answer is held', async () => {
    play({ piece: 1, do: 'stall', among: 'all', link: 0, way: 'toClient', forMs: 200 });
    const asked = hello();
    await eventually(() => box.tally.othersStalled === 1);
    expect(await asked).toBe('hello');
  });

  test('of what the client says: the server does not hear of its end', async () => {
    const waiting = await new Waiting().stands();
    await eventually(() => waiting.headAt !== undefined);
    play(now({ do: 'stall', among: 'legs', link: 0, way: 'toTarget', forMs: 300 }));
    told.next('a');
    await eventually(() => waiting.text === 'a');
    opened[0]!.abort();
    await eventually(() => waiting.end === 'broken');
    expect(await hello()).toBe('hello');
    expect(server.requests[0]?.aborted).toBe(false);
    await eventually(() => server.requests[0]?.aborted === true);
  });

  test('begins at a piece: a body can be held behind its head', async () => {
    play({ piece: 2, do: 'stall', among: 'all', link: 0, way: 'toClient', forMs: 300 });
    const waiting = await new Waiting().stands();
    await eventually(() => waiting.headAt !== undefined);
    told.next('late');
    await eventually(() => box.tally.legsStalled === 1);
    expect(await hello()).toBe('hello');
    expect(waiting.text).toBe('');
    await eventually(() => waiting.text === 'late');
  });
});

test.each(['fin', 'rst'] as const)('ends a connection by %s in the middle of an answer', async (by) => {
  const waiting = await new Waiting().stands();
  told.next('a');
  await eventually(() => waiting.text === 'a');
  play(now({ do: 'end', among: 'legs', link: 0, by }));
  await eventually(() => waiting.end !== undefined);
  // The chunk that says "this is all" has not come.
  expect(waiting.end).toBe('broken');
  await eventually(() => server.requests[0]?.aborted === true && box.links.length === 0);
  expect(box.tally.legsEnded).toBe(1);
});

describe('forget', () => {
  test('without a word: nothing passes any more, nobody is told; what was busy lives', async () => {
    const idle = [await new Waiting().stands(1), await new Waiting().stands(2)];
    await eventually(() => box.links.length === 2 && box.links.every(({ idleMs }) => idleMs > 100));
    const busy = await new Waiting().stands(3);
    await eventually(() => busy.headAt !== undefined);
    play(now({ do: 'forget', idleMs: 100, by: 'silence' }));
    await eventually(() => box.tally.legsForgotten === 2);
    told.next('a');
    await eventually(() => busy.text === 'a');
    expect(idle.map(({ text, end }) => [text, end])).toEqual(Array(2).fill(['', undefined]));
    box.heal();
    told.next('b');
    await eventually(() => busy.text === 'ab');
    expect(idle.map(({ text }) => text)).toEqual(['', '']);
    expect(server.requests.some(({ aborted }) => aborted)).toBe(false);
  });

  test.each(['fin', 'rst'] as const)('by %s', async (by) => {
    const waiting = await new Waiting().stands();
    await eventually(() => waiting.headAt !== undefined && box.links[0]!.idleMs > 50);
    play(now({ do: 'forget', idleMs: 50, by }));
    await eventually(() => waiting.end === 'broken');
    expect(box.tally.legsEnded).toBe(1);
  });
});

test.each([200, 401, 404, 429, 502, 503] as const)(
  'answers %i with a page for a while, and asks nobody',
  async (status) => {
    play(now({ do: 'answer', status, forMs: 200 }));
    await eventually(async () => {
      const answer = await fetch(`${box.url}/keys`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html']);
      expect(await answer.text()).toContain('<html>');
    });
    expect(server.requests).toHaveLength(0);
    expect(box.paged).toBeGreaterThan(0);
    await eventually(async () => expect(await hello()).toBe('hello'));
  },
);

describe('buffer', () => {
  test('holds a head back until bytes of the body come', async () => {
    play(now({ do: 'buffer', holdsHeads: true, lump: 0, forMs: 60_000 }));
    const waiting = await new Waiting().stands();
    expect(await hello()).toBe('hello');
    expect(waiting.headAt).toBeUndefined();
    told.next('a');
    await eventually(() => waiting.text === 'a');
    expect(waiting.headAt).toBeDefined();
  });

  test('passes a body in lumps, and the rest at its end', async () => {
    play(now({ do: 'buffer', holdsHeads: false, lump: 4_096, forMs: 60_000 }));
    const waiting = await new Waiting().stands();
    await eventually(() => waiting.headAt !== undefined);
    told.next('x'.repeat(4_000));
    expect(await hello()).toBe('hello');
    expect(waiting.text).toBe('');
    told.next('y'.repeat(100));
    await eventually(() => waiting.text.length === 4_100);
    told.next('z');
    told.complete();
    await eventually(() => waiting.end === 'whole');
    expect(waiting.text).toHaveLength(4_101);
  });
});

test('a schedule that is given up holds nothing back', async () => {
  const waiting = await new Waiting().stands();
  await eventually(() => waiting.headAt !== undefined);
  play(now({ do: 'stall', among: 'legs', link: 5, way: 'toClient', forMs: 60_000 }));
  await eventually(() => box.tally.legsStalled === 1);
  told.next('a');
  expect(await hello()).toBe('hello');
  expect(waiting.text).toBe('');
  playing?.unsubscribe();
  await eventually(() => waiting.text === 'a');
});
