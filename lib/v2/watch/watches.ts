import { auditTime, defer, map, startWith, Subject, type Observable } from 'rxjs';
import { defined } from '../../util/defined.js';
import type { LegContext } from './leg-context.js';
import type { Target } from './target.js';
import type { WatchStage } from './watch-run.js';
import { WatchSource } from './watch-source.js';

/** One open watch: a connection, and all who follow it. */
export interface OpenWatch {
  /** Its number within the client, as in `events$`. */
  readonly id: number;
  readonly key: string;
  readonly recursive: boolean;
  readonly state: WatchStage;
  /** Up to this index all is delivered; undefined until its start is fixed. */
  readonly index?: number;
  /** The member's URL where it stands, or stood last. */
  readonly endpoint?: string;
  readonly subscribers: number;
  /** When this state began. */
  readonly since: Date;
}

/** Changes this close to each other are told at once, ms. */
const together = 10;

/** The open watches of a client; those of the same target share one source. */
export class Watches {
  readonly #open = new Set<WatchSource>();
  readonly #shared = new Map<string, WatchSource>();
  readonly #changes$ = new Subject<void>();
  #lastId = 0;

  /** The list now, then again whenever a watch comes, goes, or changes its state or the number of its subscribers. */
  readonly list$: Observable<readonly OpenWatch[]> = defer(() =>
    this.#changes$.pipe(
      auditTime(together),
      startWith(undefined),
      map(() => [...this.#open].map(describe)),
    ),
  );

  /** The key of the watch that was opened last: there the client has rights. */
  get latestKey(): string | undefined {
    return [...this.#open].at(-1)?.target.key;
  }

  /** Something about a watch has changed. */
  changed(): void {
    this.#changes$.next();
  }

  /** The source to follow: the one that is there for the target, or one of its own from `fromIndex`. */
  source(context: LegContext, target: Target, fromIndex: number | undefined): WatchSource {
    const name = `${target.recursive} ${target.key}`;
    const known = fromIndex === undefined ? this.#shared.get(name) : undefined;
    if (known !== undefined) return known;
    const source = new WatchSource(context, (this.#lastId += 1), target, fromIndex, () => {
      this.#open.delete(source);
      if (this.#shared.get(name) === source) this.#shared.delete(name);
      this.changed();
    });
    this.#open.add(source);
    if (fromIndex === undefined) this.#shared.set(name, source);
    return source;
  }
}

function describe({ id, target: { key, recursive }, run, subscribers }: WatchSource): OpenWatch {
  const next = run?.cursor.next;
  return defined({
    id,
    key,
    recursive,
    state: run?.stage ?? 'connecting',
    index: next === undefined ? undefined : next - 1,
    endpoint: run?.endpoint === '' ? undefined : run?.endpoint,
    subscribers,
    since: run?.since ?? new Date(),
  });
}
