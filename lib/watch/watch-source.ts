import {
  asapScheduler,
  defer,
  EMPTY,
  expand,
  Observable,
  retry,
  Subject,
  subscribeOn,
  takeUntil,
  type Observer,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { goOn } from '../util/go-on.js';
import type { LegItem } from './leg-item.js';
import { MemberLeft } from './member-left.js';
import type { Position } from './position.js';
import { graceMs } from './timing.js';
import type { WatchContext, WatchTarget } from './watch-context.js';
import type { WatchProtocol } from './watch-protocol.js';
import { WatchRun } from './watch-run.js';

/** Which watch it is. */
interface Identity<T> {
  readonly id: number;
  readonly target: T;
  readonly from: number | undefined;
}

/**
 * The endless stream of a target's events, one for all who watch the same: legs chained by `expand`, restarted by `retry`
 * and nothing else, around a position that outlives both. There may be thousands: one object is what shares the legs, and
 * what they tell, not a chain of operators.
 */
export class WatchSource<E, P extends Position, T extends WatchTarget = WatchTarget> implements Observer<
  LegItem<E>
> {
  readonly id: number;
  readonly target: T;
  readonly context: WatchContext;
  readonly protocol: WatchProtocol<E, P>;
  /**
   * The events of its legs; shared, and for a second after its last subscriber has gone. As one comes, the run's position
   * has moved behind it and all that belong together with it.
   */
  readonly events$ = new Observable<E>((subscriber) => this.#joins(subscriber));
  readonly #from: number | undefined;
  readonly #changed: () => void;
  readonly #ended: () => void;
  /** Those who follow it; another list whenever one comes or goes. */
  #followers: readonly Subscriber<E>[] = [];
  #run: WatchRun<E, P> | undefined;
  #legs: Subscription | undefined;
  #leaveCluster: (() => void) | undefined;
  #grace: Subscription | undefined;
  #stages$: Subject<void> | undefined;

  /**
   * @param changed called when its stage has changed, and when somebody comes to follow it or goes
   * @param ended called when it is no longer open
   */
  constructor(
    context: WatchContext,
    protocol: WatchProtocol<E, P>,
    { id, target, from }: Identity<T>,
    changed: () => void,
    ended: () => void,
  ) {
    this.id = id;
    this.target = target;
    this.context = context;
    this.protocol = protocol;
    this.#from = from;
    this.#changed = changed;
    this.#ended = ended;
  }

  /** How many follow it. */
  get subscribers(): number {
    return this.#followers.length;
  }

  /** Its position and its stage; undefined before it is first subscribed. */
  get run(): WatchRun<E, P> | undefined {
    return this.#run;
  }

  /** Emits at once when its stage has changed; made for those who ask. */
  get stages$(): Observable<void> {
    return (this.#stages$ ??= new Subject());
  }

  next(item: LegItem<E>): void {
    this.#run?.saw(item);
    if (item.type !== 'events') return;
    for (const event of item.events) for (const follower of this.#followers) follower.next(event);
  }

  error(error: unknown): void {
    // It has ended before they hear of it, who may want another at once.
    for (const follower of this.#ends(error)) follower.error(error);
  }

  complete(): void {
    for (const follower of this.#ends()) follower.complete();
  }

  #joins(follower: Subscriber<E>): () => void {
    this.#grace?.unsubscribe();
    this.#followers = [...this.#followers, follower];
    this.#changed();
    if (this.#leaveCluster === undefined) this.#begins();
    return () => {
      this.#leaves(follower);
    };
  }

  #leaves(follower: Subscriber<E>): void {
    if (!this.#followers.includes(follower)) return;
    this.#followers = this.#followers.filter((other) => other !== follower);
    this.#changed();
    if (this.#followers.length > 0) return;
    this.#grace = unrefScheduler.schedule(
      () => {
        this.#ends();
      },
      this.#from === undefined ? graceMs : 0,
    );
  }

  #begins(): void {
    const { context, protocol, id, target } = this;
    const run = new WatchRun(context, protocol, { id, key: target.key, from: this.#from }, () => {
      this.#changed();
      this.#stages$?.next();
    });
    this.#run = run;
    this.#leaveCluster = context.cluster.enter();
    const legs = legs$(context, protocol, run).subscribe(this);
    // One that has ended by now may have been followed by another.
    if (!legs.closed) this.#legs = legs;
  }

  /** Who followed it up to now. */
  #ends(error?: unknown): readonly Subscriber<E>[] {
    const followers = this.#followers;
    this.#followers = [];
    this.#leaveCluster?.();
    this.#leaveCluster = undefined;
    this.#run?.ended(error);
    this.#legs?.unsubscribe();
    this.#legs = undefined;
    this.#ended();
    return followers;
  }
}

/** One leg after the other, until the client is closed. */
function legs$<E, P extends Position>(
  { cluster }: WatchContext,
  protocol: WatchProtocol<E, P>,
  run: WatchRun<E, P>,
): Observable<LegItem<E>> {
  const at$ = (endpoint: string): Observable<LegItem<E>> =>
    new Observable((subscriber) => {
      const site = run.site(endpoint);
      cluster.leave$(endpoint, (reason) => new MemberLeft(reason)).subscribe(subscriber);
      return subscriber.closed ? undefined : protocol.leg$(site).subscribe(new UpToEnd(subscriber));
    });
  const leg$ = defer(() => cluster.watchEndpoint$(run.tried, run.endpoint).pipe(goOn(at$)));
  return leg$.pipe(
    // Later: the leg that says `end` is torn down before the next begins. (expand's own scheduler would end the watch.)
    expand((item): Observable<LegItem<E>> =>
      item.type === 'end' ? leg$.pipe(subscribeOn(asapScheduler)) : EMPTY,
    ),
    retry({ delay: (error) => run.recover$(error).pipe(takeUntil(cluster.closing$)) }),
  );
}

/** Passes on what a leg emits, up to its last word. */
class UpToEnd<E> implements Observer<LegItem<E>> {
  readonly #subscriber: Subscriber<LegItem<E>>;

  constructor(subscriber: Subscriber<LegItem<E>>) {
    this.#subscriber = subscriber;
  }

  next(item: LegItem<E>): void {
    this.#subscriber.next(item);
    if (item.type === 'end') this.#subscriber.complete();
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  complete(): void {
    this.#subscriber.complete();
  }
}
