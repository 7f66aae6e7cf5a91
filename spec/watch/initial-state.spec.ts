import { concat, defer, NEVER, of, Subject, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { withInitialState$ } from '../../lib/watch/initial-state.js';
import { withLive$ } from '../../lib/watch/live-events.js';
import type { LegItem } from '../../lib/watch/leg-item.js';
import type { InitialState } from '../../lib/watch/watch-protocol.js';
import { WatchSource } from '../../lib/watch/watch-source.js';
import { watchOver } from '../support/scripted/fake-member.js';
import {
  batch,
  FakeProtocol,
  fakeWatchContext,
  type FakePosition,
} from '../support/scripted/fake-protocol.js';

/* Who starts with the state: on any protocol, whose changes come in batches. */

const live: LegItem<string> = { type: 'live', endpoint: 'http://a' };
const state = (next: number, epoch = 0): InitialState<string> => ({
  event: `state<${String(next)}`,
  next,
  epoch,
});

let protocol: FakeProtocol;
let source: WatchSource<string, FakePosition>;

beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(1); // whole delays
  protocol = new FakeProtocol();
  source = new WatchSource(
    fakeWatchContext().context,
    protocol,
    { id: 1, target: { key: '/a' }, from: undefined },
    () => undefined,
    () => undefined,
  );
});
afterEach(() => jest.restoreAllMocks());

/** A leg as marbles, and states in the order in which they are read. */
function expectMarbles(leg: string, states: string[], expected: string): void {
  new TestScheduler((actual, wanted) => {
    expect(actual).toEqual(wanted);
  }).run(({ cold, expectObservable }) => {
    const items: Record<string, LegItem<string>> = {
      l: live,
      4: batch(4, 2),
      5: batch(5, 2),
      6: batch(6),
      n: { ...batch(2), epoch: 1, state: { reason: 'rebuilt', from: 7 } },
      3: batch(3),
    };
    protocol.onLeg = () => cold(leg, items);
    let reads = 0;
    protocol.onState = () => cold(states[reads++] ?? '|', { s: state(5), t: state(7), z: state(1, 1) });
    expectObservable(withInitialState$(source), '---------------------!').toBe(expected, {
      s: 'state<5',
      t: 'state<7',
      z: 'state<1',
      4: '4.0',
      5: '5.0',
      '%': '5.1',
      6: '6.0',
      n: '2.0',
      3: '3.0',
    });
  });
}

test('batches behind the state come whole; one that it holds is left out whole', () => {
  expectMarbles('-l-4-5-------6-', ['-----(s|)'], '------(s5%)--6-');
});

test('what the state holds is left out until something above it has come', () => {
  expectMarbles('-l-4--6----n-3-', ['-(s|)'], '--s---6----n-3-');
});

test('a state of a store that the watch has yet to hear of: nothing of the former one, then its resync', () => {
  expectMarbles('-l--4--6---n-3-', ['-(z|)'], '--z--------n-3-');
});

test('the state is read where the watch stands, and not before', () => {
  const leg$ = new Subject<LegItem<string>>();
  protocol.onLeg = () => leg$;
  const reads: string[] = [];
  protocol.onState = ({ endpoint }) => {
    reads.push(endpoint);
    return of(state(5));
  };
  const { seen } = watchOver(withInitialState$(source));
  leg$.next({ type: 'waiting', endpoint: 'http://a' });
  expect(reads).toEqual([]);
  leg$.next(live);
  expect([reads, seen.items]).toEqual([['http://a'], ['state<5']]);
});

describe('a read that is of no use', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('is made again, and told so', () => {
    const agains: boolean[] = [];
    protocol.onLeg = () => concat(of(live), NEVER);
    protocol.onState = (_, again) =>
      defer(() => {
        agains.push(again);
        return agains.length < 3 ? throwError(() => new Error('it lags')) : of(state(5));
      });
    const { seen } = watchOver(withInitialState$(source));
    jest.advanceTimersByTime(100);
    jest.advanceTimersByTime(200);
    expect([agains, seen.items]).toEqual([[false, true, true], ['state<5']]);
  });

  test('as the store became another one meanwhile: whose it is nobody knows', () => {
    const leg$ = new Subject<LegItem<string>>();
    const answer$ = new Subject<InitialState<string>>();
    protocol.onLeg = () => leg$;
    protocol.onState = () => answer$;
    const { seen } = watchOver(withInitialState$(source));
    leg$.next(live);
    leg$.next({ ...batch(2), epoch: 1, state: { reason: 'rebuilt', from: 7 } });
    protocol.onState = () => of(state(3, 1));
    answer$.next(state(9));
    expect(seen.items).toEqual([]);
    jest.advanceTimersByTime(100);
    // The resync itself is held by what was read behind it.
    expect(seen.items).toEqual(['state<3']);
    leg$.next(batch(3));
    expect(seen.items).toEqual(['state<3', '3.0']);
  });

  test('what no retry can mend ends it', () => {
    protocol.onLeg = () => concat(of(live), NEVER);
    protocol.onState = () => throwError(() => new Error('x'));
    const bug = new RangeError('bug');
    protocol.onError = () => bug;
    expect(watchOver(withInitialState$(source)).seen.error).toBe(bug);
  });
});

describe('told each time that the watch has caught up', () => {
  const caughtUp = (next: number): string => `up to ${next - 1}`;

  function expectLive(initial: boolean, leg: string, expected: string): void {
    new TestScheduler((actual, wanted) => {
      expect(actual).toEqual(wanted);
    }).run(({ cold, expectObservable }) => {
      const items: Record<string, LegItem<string>> = {
        c: { type: 'catching-up', endpoint: 'http://a' },
        l: live,
        4: batch(4),
        6: batch(6),
        n: { ...batch(2), epoch: 1, state: { reason: 'rebuilt', from: 7 } },
      };
      protocol.onLeg = () => cold(leg, items);
      protocol.onState = () => cold('--(s|)', { s: state(5) });
      const events$ = initial ? withInitialState$(source, caughtUp) : withLive$(source, caughtUp);
      expectObservable(events$, '---------------------!').toBe(expected, {
        s: 'state<5',
        4: '4.0',
        6: '6.0',
        n: '2.0',
        d: 'up to 3',
        e: 'up to 4',
        f: 'up to 5',
        g: 'up to 1',
      });
    });
  }

  test('behind what came before', () => {
    expectLive(false, '-c-4-l---6-', '---4-e---6-');
  });

  test('once as long as it lasts, and again after it has fallen back', () => {
    expectLive(false, '-c-4-l-l-c-l-', '---4-e-----e-');
  });

  test('behind the state, and up to there at least', () => {
    expectLive(true, '-c4l----6-', '---(se)-6-');
  });

  test('not before what is lost has been made up for', () => {
    protocol.onError = () => ({ lost: 'rebuilt' });
    new TestScheduler((actual, wanted) => {
      expect(actual).toEqual(wanted);
    }).run(({ cold, expectObservable }) => {
      const legs = ['-l-#', '-c-(nl)'];
      const items: Record<string, LegItem<string>> = {
        c: { type: 'catching-up', endpoint: 'http://a' },
        l: live,
        n: { ...batch(2), epoch: 1, state: { reason: 'rebuilt', from: 7 } },
      };
      let n = 0;
      protocol.onLeg = () => cold(legs[n++] ?? '', items);
      expectObservable(withLive$(source, caughtUp), '200ms !').toBe('-a 104ms (nz)', {
        a: 'up to -1',
        n: '2.0',
        z: 'up to 2',
      });
    });
  });
});
