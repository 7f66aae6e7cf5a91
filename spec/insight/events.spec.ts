import { EventBus, type BodyText, type ClientEvent } from '../../lib/insight/events.js';

const event = { type: 'retry', operation: 'get', endpoint: 'http://a', reason: 'reset', attempt: 1 } as const;

describe('EventBus', () => {
  test('an event that nobody observes is not even built', () => {
    const build = jest.fn(() => event);
    const bus = new EventBus();
    bus.emit(build);
    bus.events$.subscribe().unsubscribe();
    bus.emit(build);
    expect(build).not.toHaveBeenCalled();
  });

  test('is hot: everyone sees what happens from now on, built once, with its time', () => {
    const bus = new EventBus();
    const [early, late]: ClientEvent[][] = [[], []];
    bus.events$.subscribe((e) => early?.push(e));
    bus.emit(() => event);
    bus.events$.subscribe((e) => late?.push(e));
    const build = jest.fn(() => ({ ...event, attempt: 2 }));
    bus.emit(build);
    expect(early?.map((e) => e.type === 'retry' && e.attempt)).toEqual([1, 2]);
    expect(late?.map((e) => e.type === 'retry' && e.attempt)).toEqual([2]);
    expect(late?.[0]?.at).toBeInstanceOf(Date);
    expect(build).toHaveBeenCalledTimes(1);
  });

  test('close completes, for those who come later too, and nothing is built any more', () => {
    const bus = new EventBus();
    const ends: string[] = [];
    bus.events$.subscribe({ complete: () => ends.push('early') });
    bus.close();
    bus.close();
    bus.events$.subscribe({ complete: () => ends.push('late') });
    const build = jest.fn(() => event);
    bus.emit(build);
    expect(ends).toEqual(['early', 'late']);
    expect(build).not.toHaveBeenCalled();
  });

  test('nobody outside can emit', () => {
    const { events$, bodies$ } = new EventBus();
    expect(['next' in events$, 'next' in bodies$]).toEqual([false, false]);
  });
});

describe('bodies', () => {
  const sent = {
    operation: 'set',
    endpoint: 'http://a',
    method: 'PUT',
    path: '/v2/keys/a',
    direction: 'sent',
    body: 'value=1',
  } as const;
  const seenOf = (...bodies: Partial<BodyText>[]): BodyText[] => {
    const bus = new EventBus(() => false);
    const seen: BodyText[] = [];
    bus.bodies$.subscribe((body) => seen.push(body));
    for (const body of bodies) bus.emitBody(() => ({ ...sent, ...body }));
    return seen;
  };

  test('that nobody observes are not even built; whoever observes events alone sees none', () => {
    const build = jest.fn(() => sent);
    const bus = new EventBus();
    const seen: ClientEvent[] = [];
    bus.events$.subscribe((e) => seen.push(e));
    bus.bodies$.subscribe().unsubscribe();
    bus.emitBody(build);
    expect([build.mock.calls.length, seen]).toEqual([0, []]);
  });

  test('are as they came, with their time; empty ones are none', () => {
    const received = { direction: 'received', status: 201, body: '{"action":"set"}\n' } as const;
    const seen = seenOf({}, received, { body: '' });
    const at: unknown = expect.any(Date);
    expect(seen).toEqual([
      { ...sent, at },
      { ...sent, ...received, at },
    ]);
  });

  test('end with the client', () => {
    const bus = new EventBus();
    const ends: string[] = [];
    bus.bodies$.subscribe({ complete: () => ends.push('early') });
    bus.close();
    bus.bodies$.subscribe({ complete: () => ends.push('late') });
    const build = jest.fn(() => sent);
    bus.emitBody(build);
    expect([ends, build.mock.calls.length]).toEqual([['early', 'late'], 0]);
  });

  test('of what the API calls confidential are never shown; of nothing, where it says nothing', () => {
    const shown = (bus: EventBus): BodyText[] => {
      const seen: BodyText[] = [];
      bus.bodies$.subscribe((body) => seen.push(body));
      for (const path of ['/secret', '/open']) bus.emitBody(() => ({ ...sent, path }));
      return seen;
    };
    expect(shown(new EventBus(({ path }) => path === '/secret')).map(({ path }) => path)).toEqual(['/open']);
    expect(shown(new EventBus())).toEqual([]);
  });
});
