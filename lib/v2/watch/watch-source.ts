import {
  defer,
  EMPTY,
  Observable,
  of,
  repeat,
  retry,
  share,
  Subject,
  switchMap,
  takeUntil,
  timer,
} from 'rxjs';
import { unrefScheduler } from '../../util/unref-scheduler.js';
import type { WatchEvent } from '../model/model.js';
import type { LegContext } from './leg-context.js';
import { leg$ } from './leg.js';
import type { Target } from './target.js';
import { WatchRun } from './watch-run.js';

/** How long a source outlives its last subscriber, ms. */
const grace = 1_000;

/**
 * The endless stream of a target's events, one for all who watch the same: legs chained by `repeat`, restarted by
 * `retry` and nothing else, around a cursor that outlives both.
 */
export class WatchSource {
  readonly id: number;
  readonly target: Target;
  /** The events of its legs; shared, and for a second after its last subscriber has gone. */
  readonly events$: Observable<WatchEvent>;
  /** How many follow it. */
  subscribers = 0;
  #run: WatchRun | undefined;
  #stages$: Subject<void> | undefined;

  /** @param ended called when it is no longer open */
  constructor(
    context: LegContext,
    id: number,
    target: Target,
    fromIndex: number | undefined,
    ended: () => void,
  ) {
    this.id = id;
    this.target = target;
    this.events$ = defer(() => {
      const run = new WatchRun(context, id, target, fromIndex, () => {
        context.changed();
        this.#stages$?.next();
      });
      this.#run = run;
      return follow$(context, target, run, ended);
    }).pipe(share({ resetOnRefCountZero: () => timer(fromIndex === undefined ? grace : 0, unrefScheduler) }));
  }

  /** Its place and its stage; undefined before it is first subscribed. */
  get run(): WatchRun | undefined {
    return this.#run;
  }

  /** Emits at once when its stage has changed; made for those who ask. */
  get stages$(): Observable<void> {
    return (this.#stages$ ??= new Subject());
  }
}

/** The events of one leg after the other, until the client is closed; the run is told of all that its legs emit. */
function follow$(
  context: LegContext,
  target: Target,
  run: WatchRun,
  ended: () => void,
): Observable<WatchEvent> {
  const { cluster } = context;
  const legs$ = defer(() => cluster.watchEndpoint$(run.tried, run.endpoint)).pipe(
    switchMap((endpoint) => {
      run.goesTo(endpoint);
      return leg$(context, target, endpoint, run, run.start);
    }),
    repeat({ delay: () => (run.takesChain() ? of(undefined) : EMPTY) }),
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
        if (item.type === 'event') subscriber.next(item.event);
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
