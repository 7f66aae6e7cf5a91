import {
  BehaviorSubject,
  combineLatest,
  firstValueFrom,
  from,
  map,
  share,
  Subscription,
  switchMap,
  take,
  timer,
  type Subject,
} from 'rxjs';
import { ClusterState } from '../../lib/cluster/cluster-state.js';
import { ClusterState$, type ClusterStateControl } from '../../lib/cluster/cluster-state-subject.js';

const state = (term: number) => new ClusterState([], undefined, term, new Date());

let control: ClusterStateControl;
let holds: number;
let state$: ClusterState$;
beforeEach(() => {
  holds = 0;
  state$ = new ClusterState$(
    state(1),
    () => {
      holds += 1;
      return new Subscription(() => (holds -= 1));
    },
    (given) => (control = given),
  );
});

const terms = () => {
  const seen: unknown[] = [];
  const observer = {
    next: (s: ClusterState) => seen.push(s.raftTerm),
    error: (e: unknown) => seen.push(e),
    complete: () => seen.push('done'),
  };
  return { seen, observer };
};

describe('ClusterState$', () => {
  test('is a BehaviorSubject: the state now, then each change, driven by its control', () => {
    expect(state$).toBeInstanceOf(BehaviorSubject);
    const { seen, observer } = terms();
    state$.subscribe(observer);
    control.next(state(2));
    const late = terms();
    state$.subscribe(late.observer);
    control.next(state(3));
    control.complete();
    expect(seen).toEqual([1, 2, 3, 'done']);
    expect(late.seen).toEqual([2, 3, 'done']);
    expect([state$.value.raftTerm, state$.getValue().raftTerm]).toEqual([3, 3]);
  });

  test.each<[string, (s: Subject<ClusterState>) => void]>([
    ['next', (s) => s.next(state(9))],
    ['error', (s) => s.error(new Error('x'))],
    ['complete', (s) => s.complete()],
  ])('%s from outside throws and changes nothing', (_, call) => {
    const { seen, observer } = terms();
    state$.subscribe(observer);
    expect(() => call(state$)).toThrow('can only be observed');
    expect(() => call(state$)).toThrow(TypeError);
    // What pipe() makes of a Subject passes calls on to it.
    const piped: unknown = state$.pipe(map((s) => s));
    expect(() => call(piped as Subject<ClusterState>)).toThrow('can only be observed');
    control.next(state(2));
    expect(seen).toEqual([1, 2]);
  });

  test('unsubscribe from outside throws too, and does not end it for everyone', () => {
    const { seen, observer } = terms();
    state$.subscribe(observer);
    // eslint-disable-next-line rxjs-x/no-subject-unsubscribe -- that it does no harm is the point
    expect(() => state$.unsubscribe()).toThrow('can only be observed');
    control.next(state(2));
    expect(seen).toEqual([1, 2]);
  });

  test('may not be used as an observer of something else', () => {
    expect(() => {
      const observer: unknown = state$;
      (observer as { next: (s: ClusterState) => void }).next(state(5));
    }).toThrow('can only be observed');
    expect(state$.value.raftTerm).toBe(1);
  });

  test('holds the heartbeat while subscribed, once for each subscription', () => {
    expect(holds).toBe(0);
    const first = state$.subscribe();
    const second = state$.subscribe(terms().observer);
    expect(holds).toBe(2);
    first.unsubscribe();
    first.unsubscribe();
    expect(holds).toBe(1);
    second.unsubscribe();
    expect(holds).toBe(0);
  });

  test.each<[string, () => Subscription]>([
    ['a function', () => state$.subscribe(() => undefined)],
    ['three functions', () => state$.subscribe({ next: () => undefined, complete: () => undefined })],
    ['nothing', () => state$.subscribe()],
    ['null', () => state$.subscribe(null)],
    ['a pipe', () => state$.pipe(map((s) => s.raftTerm)).subscribe()],
    [
      'a longer pipe',
      () =>
        state$
          .pipe(
            map((s) => s),
            share(),
            switchMap(() => timer(1e6)),
          )
          .subscribe(),
    ],
    ['asObservable', () => state$.asObservable().subscribe()],
    ['a combination', () => combineLatest([state$, state$]).subscribe()],
    ['from', () => from(state$).subscribe()],
  ])('and releases it when unsubscribed through %s', (_, subscribe) => {
    const subscription = subscribe();
    expect(holds).toBeGreaterThan(0);
    subscription.unsubscribe();
    expect(holds).toBe(0);
  });

  test('releases it when a consumer has had enough', async () => {
    await firstValueFrom(state$);
    expect(holds).toBe(0);
    const { seen, observer } = terms();
    state$.pipe(take(2)).subscribe(observer);
    expect(holds).toBe(1);
    control.next(state(2));
    expect([seen, holds]).toEqual([[1, 2, 'done'], 0]);
  });

  test('releases it when it completes, and does not take it after that', () => {
    state$.subscribe();
    control.complete();
    expect(holds).toBe(0);
    const { seen, observer } = terms();
    state$.subscribe(observer);
    expect([seen, holds]).toEqual([['done'], 0]);
  });

  test('functions are called as RxJS calls them', () => {
    const calls: unknown[] = [];
    state$.subscribe({ next: (s) => calls.push(s.raftTerm), complete: () => calls.push('done') });
    control.next(state(2));
    control.complete();
    expect(calls).toEqual([1, 2, 'done']);
  });
});
