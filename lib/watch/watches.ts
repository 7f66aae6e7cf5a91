import { auditTime, defer, map, share, startWith, Subject, takeUntil, type Observable } from 'rxjs';
import { defined } from '../util/defined.js';
import { withInitialState$ } from './initial-state.js';
import { withLive$, type LiveEvent } from './live-events.js';
import type { Position } from './position.js';
import { togetherMs } from './timing.js';
import type { WatchContext, WatchTarget } from './watch-context.js';
import type { WatchProtocol } from './watch-protocol.js';
import type { WatchStage } from './watch-run.js';
import { WatchSource } from './watch-source.js';

/** What is told of an open watch besides its target; each API's list says what that means. */
export interface OpenWatchState {
  readonly id: number;
  readonly state: WatchStage;
  readonly index?: number;
  readonly endpoint?: string;
  readonly subscribers: number;
  readonly since: Date;
}

/** How one subscriber follows a target. */
interface Following<E> {
  /** The first place of interest. Default: from now on, together with all others who want that. */
  readonly from?: number | undefined;
  /** Begins with the state. */
  readonly initial: boolean;
  /** What is told each time that the watch has caught up. Default: nothing. */
  readonly live?: LiveEvent<E> | undefined;
}

/** The open watches of a client; those of the same target share one source. */
export class Watches<E, P extends Position, T extends WatchTarget> {
  readonly #protocolOf: (target: T) => WatchProtocol<E, P>;
  readonly #isSame: (a: T, b: T) => boolean;
  readonly #open = new Set<WatchSource<E, P, T>>();
  /** By key: those that others may join. */
  readonly #shared = new Map<string, readonly WatchSource<E, P, T>[]>();
  readonly #changes$ = new Subject<void>();
  #lastId = 0;

  /** The list now, then again whenever a watch comes, goes, or changes its state or the number of its subscribers. */
  readonly list$: Observable<readonly (T & OpenWatchState)[]> = defer(() =>
    this.#changed$.pipe(startWith(this.#list())),
  );
  /** One list for all who follow it. */
  readonly #changed$ = this.#changes$.pipe(
    auditTime(togetherMs),
    map(() => this.#list()),
    share(),
  );

  /**
   * @param protocolOf how a target is watched
   * @param isSame whether two targets are one and the same. Default: their fields are, which are plain values
   */
  constructor(
    protocolOf: (target: T) => WatchProtocol<E, P>,
    isSame: (a: T, b: T) => boolean = haveSameFields,
  ) {
    this.#protocolOf = protocolOf;
    this.#isSame = isSame;
  }

  /** One subscriber's share of what is told of a target, until the client is closed. */
  follow$(context: WatchContext, target: T, { from, initial, live }: Following<E>): Observable<E> {
    return defer(() => told$(this.source(context, target, from), initial, live));
  }

  /** The key of the watch that was opened last: there the client has rights. */
  get latestKey(): string | undefined {
    return [...this.#open].at(-1)?.target.key;
  }

  /** Something about a watch has changed. */
  changed(): void {
    this.#changes$.next();
  }

  #list(): readonly (T & OpenWatchState)[] {
    return [...this.#open].map(describe);
  }

  /** The source to follow: the one that is there for the target, or one of its own from there. */
  source(context: WatchContext, target: T, from: number | undefined): WatchSource<E, P, T> {
    const { key } = target;
    const known = this.#shared.get(key)?.find((one) => this.#isSame(one.target, target));
    if (from === undefined && known !== undefined) return known;
    const source = new WatchSource(
      context,
      this.#protocolOf(target),
      { id: (this.#lastId += 1), target, from },
      () => {
        this.changed();
      },
      () => {
        this.#open.delete(source);
        const others = this.#shared.get(key)?.filter((one) => one !== source) ?? [];
        if (others.length > 0) this.#shared.set(key, others);
        else this.#shared.delete(key);
        this.changed();
      },
    );
    this.#open.add(source);
    if (from === undefined) this.#shared.set(key, [...(this.#shared.get(key) ?? []), source]);
    return source;
  }
}

const haveSameFields = <T extends WatchTarget>(a: T, b: T): boolean =>
  Object.keys({ ...a, ...b }).every((name) => a[name as keyof T] === b[name as keyof T]);

/** What one subscriber is told, until the client is closed. */
function told$<E, P extends Position>(
  source: WatchSource<E, P>,
  initial: boolean,
  live: LiveEvent<E> | undefined,
): Observable<E> {
  const untilClosed = takeUntil<E>(source.context.cluster.closing$);
  if (initial) return withInitialState$(source, live).pipe(untilClosed);
  return live === undefined ? source.events$ : withLive$(source, live).pipe(untilClosed);
}

function describe<T extends WatchTarget>({
  id,
  target,
  run,
  subscribers,
}: WatchSource<unknown, Position, T>): T & OpenWatchState {
  const next = run?.position.next;
  const state: OpenWatchState = defined({
    id,
    state: run?.stage ?? 'connecting',
    index: next === undefined ? undefined : next - 1,
    endpoint: run?.endpoint === '' ? undefined : run?.endpoint,
    subscribers,
    since: run?.since ?? new Date(),
  });
  return { ...target, ...state };
}
