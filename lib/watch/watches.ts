import { auditTime, defer, map, share, startWith, Subject, type Observable } from 'rxjs';
import { defined } from '../util/defined.js';
import type { Position } from './position.js';
import { togetherMs } from './timing.js';
import type { WatchContext, WatchTarget } from './watch-context.js';
import type { WatchProtocol } from './watch-protocol.js';
import type { WatchStage } from './watch-run.js';
import { WatchSource } from './watch-source.js';

/** What is told of an open watch besides its target; each API's list says what that means. */
interface OpenWatchState {
  readonly id: number;
  readonly state: WatchStage;
  readonly index?: number;
  readonly endpoint?: string;
  readonly subscribers: number;
  readonly since: Date;
}

/** The open watches of a client; those of the same target share one source. */
export class Watches<E, P extends Position, T extends WatchTarget> {
  readonly #protocolOf: (target: T) => WatchProtocol<E, P>;
  readonly #open = new Set<WatchSource<E, P, T>>();
  readonly #shared = new Map<string, WatchSource<E, P, T>>();
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

  /** @param protocolOf how a target is watched */
  constructor(protocolOf: (target: T) => WatchProtocol<E, P>) {
    this.#protocolOf = protocolOf;
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
    const name = JSON.stringify(target);
    const known = from === undefined ? this.#shared.get(name) : undefined;
    if (known !== undefined) return known;
    const source = new WatchSource(
      context,
      this.#protocolOf(target),
      { id: (this.#lastId += 1), target, from },
      () => {
        this.changed();
      },
      () => {
        this.#open.delete(source);
        if (this.#shared.get(name) === source) this.#shared.delete(name);
        this.changed();
      },
    );
    this.#open.add(source);
    if (from === undefined) this.#shared.set(name, source);
    return source;
  }
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
