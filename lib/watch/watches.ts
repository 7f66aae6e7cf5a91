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
    const { key } = target;
    const known = this.#shared.get(key)?.find((one) => isSame(one.target, target));
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

/** Whether two targets are one and the same: their fields are plain values. */
const isSame = <T extends WatchTarget>(a: T, b: T): boolean =>
  Object.keys({ ...a, ...b }).every((name) => a[name as keyof T] === b[name as keyof T]);

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
