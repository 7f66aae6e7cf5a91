import {
  asapScheduler,
  defer,
  EMPTY,
  expand,
  Observable,
  retry,
  share,
  Subject,
  subscribeOn,
  switchMap,
  takeUntil,
  takeWhile,
  timer,
} from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import type { LegItem } from './leg-item.js';
import { MemberLeft } from './member-left.js';
import type { Position } from './position.js';
import { graceMs } from './timing.js';
import type { WatchContext, WatchTarget } from './watch-context.js';
import type { WatchProtocol } from './watch-protocol.js';
import { WatchRun } from './watch-run.js';

/**
 * The endless stream of a target's events, one for all who watch the same: legs chained by `expand`, restarted by `retry`
 * and nothing else, around a position that outlives both.
 */
export class WatchSource<E, P extends Position, T extends WatchTarget = WatchTarget> {
  readonly id: number;
  readonly target: T;
  /**
   * The events of its legs; shared, and for a second after its last subscriber has gone. As one comes, the run's position
   * has moved behind it and all that belong together with it.
   */
  readonly events$: Observable<E>;
  /** How many follow it. */
  subscribers = 0;
  readonly context: WatchContext;
  readonly protocol: WatchProtocol<E, P>;
  #run: WatchRun<E, P> | undefined;
  #stages$: Subject<void> | undefined;

  /**
   * @param changed called when its stage has changed
   * @param ended called when it is no longer open
   */
  constructor(
    context: WatchContext,
    protocol: WatchProtocol<E, P>,
    { id, target, from }: { readonly id: number; readonly target: T; readonly from: number | undefined },
    changed: () => void,
    ended: () => void,
  ) {
    this.id = id;
    this.target = target;
    this.context = context;
    this.protocol = protocol;
    this.events$ = defer(() => {
      const run = new WatchRun(context, protocol, { id, key: target.key, from }, () => {
        changed();
        this.#stages$?.next();
      });
      this.#run = run;
      return follow$(context, protocol, run, ended);
    }).pipe(share({ resetOnRefCountZero: () => timer(from === undefined ? graceMs : 0, unrefScheduler) }));
  }

  /** Its position and its stage; undefined before it is first subscribed. */
  get run(): WatchRun<E, P> | undefined {
    return this.#run;
  }

  /** Emits at once when its stage has changed; made for those who ask. */
  get stages$(): Observable<void> {
    return (this.#stages$ ??= new Subject());
  }
}

/** The events of one leg after the other, until the client is closed; the run is told of all that its legs emit. */
function follow$<E, P extends Position>(
  { cluster }: WatchContext,
  protocol: WatchProtocol<E, P>,
  run: WatchRun<E, P>,
  ended: () => void,
): Observable<E> {
  const leg$ = defer(() =>
    cluster.watchEndpoint$(run.tried, run.endpoint).pipe(
      switchMap((endpoint) =>
        protocol.leg$(run.site(endpoint)).pipe(
          takeWhile((item) => item.type !== 'end', true),
          takeUntil(cluster.leave$(endpoint, (reason) => new MemberLeft(reason))),
        ),
      ),
    ),
  );
  const legs$ = leg$.pipe(
    // Later: the leg that says `end` is torn down before the next begins. (expand's own scheduler would end the watch.)
    expand((item): Observable<LegItem<E>> =>
      item.type === 'end' ? leg$.pipe(subscribeOn(asapScheduler)) : EMPTY,
    ),
    retry({ delay: (error) => run.recover$(error).pipe(takeUntil(cluster.closing$)) }),
  );
  // There may be thousands of watches: one object for each, not a chain of operators.
  return new Observable((subscriber) => {
    let failure: unknown;
    subscriber.add(cluster.enter());
    subscriber.add(() => {
      run.ended(failure);
      ended();
    });
    return legs$.subscribe({
      next: (item) => {
        run.saw(item);
        if (item.type === 'events') for (const event of item.events) subscriber.next(event);
      },
      error: (error: unknown) => {
        failure = error;
        // Before its subscribers hear of it, who may want another at once.
        ended();
        subscriber.error(error);
      },
      complete: () => {
        subscriber.complete();
      },
    });
  });
}
