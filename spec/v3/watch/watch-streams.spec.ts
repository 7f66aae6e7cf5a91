import { lastValueFrom, NEVER, Observable, of } from 'rxjs';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { WatchStreams } from '../../../lib/v3/watch/watch-streams.js';
import type { WatchMessage } from '../../../lib/v3/watch/watch-stream.js';
import { streamGraceMs } from '../../../lib/v3/watch/timing.js';

test('a request of its own that ends without an error ends no watch, which goes on elsewhere', async () => {
  const streams = new WatchStreams({
    openBodies: false,
    open$: () => of({ created: true } as WatchMessage),
    answers$: () => of(undefined),
    version: () => '3.5.16',
  });
  const told$ = streams.take('a', false).watch$({ key: Buffer.from('k') });
  await expect(lastValueFrom(told$)).rejects.toBeInstanceOf(MemberLeft);
});

describe('a stream bears the token that it was opened with', () => {
  let token: string | undefined;
  let opened: (string | undefined)[];
  let closed: (string | undefined)[];
  let streams: WatchStreams;
  const watch = (apart = false) =>
    streams
      .take('a', apart)
      .watch$({ key: Buffer.from('k') })
      .subscribe();

  beforeEach(() => {
    jest.useFakeTimers();
    token = 'one';
    opened = [];
    closed = [];
    streams = new WatchStreams({
      openBodies: true,
      open$: () =>
        new Observable(() => {
          const own = token;
          opened.push(own);
          return () => closed.push(own);
        }),
      answers$: () => NEVER,
      version: () => '3.5.16',
      token: () => token,
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('with another token the next watch opens a second one, and the former ones stay on theirs', () => {
    const former = [watch(), watch()];
    token = 'two';
    watch();
    watch();
    expect([opened, closed]).toEqual([['one', 'two'], []]);
    for (const one of former) one.unsubscribe();
    jest.advanceTimersByTime(streamGraceMs);
    expect(closed).toEqual(['one']);
    watch();
    expect(opened).toEqual(['one', 'two']);
  });

  test('so it does where authentication is turned on, and back', () => {
    for (token of [undefined, 'one', undefined, 'one']) watch();
    expect(opened).toEqual([undefined, 'one', undefined, 'one']);
  });
});
