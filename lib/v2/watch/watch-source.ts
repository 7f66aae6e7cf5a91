import {
  defer,
  EMPTY,
  expand,
  filter,
  map,
  retry,
  share,
  switchMap,
  takeUntil,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { unrefScheduler } from '../../cluster/unref-scheduler.js';
import type { WatchEvent } from '../model.js';
import type { LegContext } from './leg-context.js';
import type { LegItem } from './leg-item.js';
import { leg$ } from './leg.js';
import type { Target } from './target.js';
import { WatchRun } from './watch-run.js';

/** How long a source outlives its last subscriber, ms. */
const grace = 1_000;

/**
 * The endless stream of a target's events, one for all who watch the same: legs chained by `expand`, restarted by
 * `retry` and nothing else, around a cursor that outlives both.
 */
export class WatchSource {
  readonly id: number;
  readonly target: Target;
  /** What its legs emit; shared, and for a second after its last subscriber has gone. */
  readonly items$: Observable<LegItem>;
  /** The events among them. */
  readonly events$: Observable<WatchEvent>;
  /** How many follow it. */
  subscribers = 0;
  #run: WatchRun | undefined;

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
    this.items$ = defer(() => {
      const run = new WatchRun(context, id, target, fromIndex);
      this.#run = run;
      return follow$(context, target, run, ended);
    }).pipe(
      context.cluster.active(),
      takeUntil(context.cluster.closing$),
      share({ resetOnRefCountZero: () => timer(fromIndex === undefined ? grace : 0, unrefScheduler) }),
    );
    this.events$ = this.items$.pipe(
      filter((item) => item.type === 'event'),
      map((item) => item.event),
      share(),
    );
  }

  /** Its place and its stage; undefined before it is first subscribed. */
  get run(): WatchRun | undefined {
    return this.#run;
  }
}

function follow$(context: LegContext, target: Target, run: WatchRun, ended: () => void): Observable<LegItem> {
  const nextLeg$: Observable<LegItem> = defer(() =>
    context.cluster.watchEndpoint$(run.tried, run.endpoint),
  ).pipe(
    switchMap((endpoint) => {
      run.goesTo(endpoint);
      return leg$(context, target, endpoint, run.cursor, run.start);
    }),
  );
  let failure: unknown;
  return nextLeg$.pipe(
    expand((item) => (item.type === 'chain' ? nextLeg$ : EMPTY)),
    retry({ delay: (error) => run.recover$(error) }),
    tap({
      next: (item) => {
        run.saw(item);
      },
      error: (error: unknown) => {
        failure = error;
        // Before its subscribers hear of it, who may want another at once.
        ended();
      },
      finalize: () => {
        run.ended(failure);
        ended();
      },
    }),
  );
}
