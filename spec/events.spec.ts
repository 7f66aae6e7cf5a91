import { EventBus, type ClientEvent } from '../lib/events.js';

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
    expect('next' in new EventBus().events$).toBe(false);
  });
});
