import {
  EMPTY,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  Subscription,
  takeUntil,
  tap,
  type MonoTypeOperatorFunction,
  type Subscriber,
} from 'rxjs';
import { EventBus, type ClientEvent } from '../../../lib/insight/events.js';
import { resolveOptions } from '../../../lib/options.js';
import { browserAbilities, nodeAbilities } from '../../../lib/transport/abilities.js';
import type { HttpPart, HttpRequest, HttpResponse } from '../../../lib/transport/http.js';
import { HeaderSupport } from '../../../lib/v2/watch/header-support.js';
import type { LegContext } from '../../../lib/v2/watch/leg-context.js';
import type { LegItem } from '../../../lib/watch/leg-item.js';
import type { WatchEvent } from '../../../lib/v2/model/model.js';
import { Cursor } from '../../../lib/v2/watch/cursor.js';
import type { LegSite } from '../../../lib/v2/watch/leg-site.js';
import { Pace } from '../../../lib/v2/watch/pace.js';
import type { StoreIndex } from '../../../lib/v2/watch/read-index.js';
import { ConnectionSlots } from '../../../lib/watch/connection-slots.js';
import { Watermark } from '../../../lib/v2/watermark.js';

export const here = 'http://a';

/** What else headers tell, if they do. */
interface Raft {
  readonly raftIndex?: number;
  readonly raftTerm?: number;
}

/** A long poll or a stream as the server sees it; a spec says what it brings. */
export class FakeRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  gone = false;
  readonly #subscriber: Subscriber<HttpPart>;

  constructor(path: string, subscriber: Subscriber<HttpPart>) {
    this.path = path;
    this.query = new URL(path, here).searchParams;
    this.#subscriber = subscriber;
    subscriber.add(() => (this.gone = true));
  }

  get waitIndex(): string | null {
    return this.query.get('waitIndex');
  }

  head(index: number | undefined, clusterId?: string, status = 200, raft: Raft = {}): this {
    this.#subscriber.next({ type: 'head', status, headers: headersOf(index, clusterId, raft) });
    return this;
  }

  text(text: string): this {
    this.#subscriber.next({ type: 'text', text });
    return this;
  }

  end(): void {
    // An answer that is complete holds no connection.
    this.gone = true;
    this.#subscriber.next({ type: 'end' });
    this.#subscriber.complete();
  }

  /** The rest of an answer, and its end. */
  answer(body: unknown): void {
    this.text(typeof body === 'string' ? body : JSON.stringify(body)).end();
  }

  /** A poll's event, and its end. */
  event(index: number, more: object = {}): void {
    this.answer(bodyOf(index, more));
  }

  /** Events of a stream: a line for each index. */
  lines(indexes: readonly number[], more: object = {}): this {
    return this.text(indexes.map((index) => `${JSON.stringify(bodyOf(index, more))}\n`).join(''));
  }

  fail(error: Error): void {
    this.#subscriber.error(error);
  }
}

/** A member that does what a spec tells it to, one request at a time, behind the context of a leg. */
export class FakeMember {
  /** Polls and streams, in the order of their arrival. */
  readonly requests: FakeRequest[] = [];
  readonly reads: HttpRequest[] = [];
  /** Answers the reads beside them. */
  onRead: (request: HttpRequest) => Observable<HttpResponse> = () => NEVER;
  /** Told of each poll and stream, once it is asked. */
  onRequest: (request: FakeRequest) => void = () => undefined;
  readonly storeIndexes$ = new Subject<StoreIndex>();
  left$: Observable<string> = NEVER;
  readonly closing$ = new Subject<void>();
  readonly watermark = new Watermark();
  version: string | undefined = '3.4.23';
  /** The limits of the polls and streams, ms. */
  readonly timeouts: number[] = [];
  /** Endpoints that were asked whether they still answer. */
  readonly checks: string[] = [];
  /** The endpoint of the member that leads. */
  leader: string | undefined = here;
  /** What `events$` tells. */
  readonly told: ClientEvent[] = [];
  readonly context: LegContext;

  /** @param more in place of what the context has by default */
  constructor({ streams = true, ...more }: Partial<LegContext> & { streams?: boolean } = {}) {
    const abilities = streams ? nodeAbilities : browserAbilities;
    const events = new EventBus();
    events.events$.subscribe((event) => this.told.push(event));
    this.context = {
      settings: resolveOptions(),
      events,
      cluster: {
        leave$: (_: string, toError: (reason: string) => Error) =>
          this.left$.pipe(
            map((reason) => {
              throw toError(reason);
            }),
            takeUntil(this.closing$),
          ),
        sawTerm: () => undefined,
        heard: () => undefined,
        version: () => this.version,
        isVersionFresh: () => true,
        unsupported: () => undefined,
        watchEndpoint$: () => of(here),
        check$: (url: string) => {
          this.checks.push(url);
          return EMPTY;
        },
        enter: () => () => undefined,
        blame: () => undefined,
        knows: () => false,
        dropped: () => undefined,
        closing$: this.closing$,
        leads: (url: string) => url === this.leader,
        view: {},
      },
      transport: {
        abilities,
        parts$: <T>(request: HttpRequest, read: (part: HttpPart) => T) =>
          this.#parts$(request).pipe(map(read)),
        exchange$: (request: HttpRequest) => {
          this.reads.push(request);
          return this.onRead(request);
        },
      },
      watermark: this.watermark,
      authorization: undefined,
      storeIndex$: this.storeIndexes$,
      pace: new Pace(100),
      headers: new HeaderSupport(abilities, () => this.version),
      slots: new ConnectionSlots(4),
      ...more,
    } as unknown as LegContext;
  }

  /** Where a leg of a watch of `/a` runs: here, from the position, unless said. */
  site({ recursive = true, ...more }: Partial<LegSite> & { recursive?: boolean } = {}): LegSite {
    return {
      context: this.context,
      target: { key: '/a', recursive },
      mark: this.watermark.mark,
      endpoint: here,
      position: new Cursor(),
      start: 'position',
      stay: new Subscription(),
      ...more,
    };
  }

  #parts$({ path, timeout }: HttpRequest): Observable<HttpPart> {
    return new Observable((subscriber) => {
      this.timeouts.push(timeout);
      const request = new FakeRequest(path, subscriber);
      this.requests.push(request);
      this.onRequest(request);
    });
  }

  get polls(): FakeRequest[] {
    return this.requests.filter(({ query }) => !query.has('stream'));
  }

  get streams(): FakeRequest[] {
    return this.requests.filter(({ query }) => query.has('stream'));
  }

  /** The store's index is heard of, or not. */
  tellIndex(index: number, answered = true): void {
    if (answered) this.watermark.saw({ etcdIndex: index });
    this.storeIndexes$.next({ endpoint: here, index, sentAt: performance.now(), answered, denied: false });
    jest.advanceTimersByTime(0);
  }
}

/** An answer to a read. */
export const answerOf = (
  status: number,
  index: number | undefined,
  body: object,
  clusterId?: string,
): HttpResponse => ({
  status,
  headers: headersOf(index, clusterId),
  body: JSON.stringify(body),
});

/** Items in short: their type, and of events action and index; what only moves the position is left out. */
export const short = (items: readonly LegItem<WatchEvent>[]): string[] =>
  items.flatMap((item) =>
    item.type === 'events'
      ? item.events.map(({ action, index }) => `${action}@${String(index)}`)
      : [item.type],
  );

/** Moves a position as the run of a watch does. */
export const moves = (position: Cursor): MonoTypeOperatorFunction<LegItem<WatchEvent>> =>
  tap((item) => {
    if (item.type === 'events') position.moveTo(item);
  });

/** What a subscriber has seen so far. */
export function watchOver<T>(source$: Observable<T>) {
  const seen = { items: [] as T[], error: undefined as unknown, done: false };
  const subscription = source$.subscribe({
    next: (item) => seen.items.push(item),
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.done = true),
  });
  return { seen, subscription };
}

/** The indexes from first to last. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

const bodyOf = (
  index: number,
  { action = 'set', prevNode, ...node }: { action?: string; prevNode?: object },
): object => ({
  action,
  node: { key: '/a', value: `v${String(index)}`, modifiedIndex: index, ...node },
  ...(prevNode === undefined ? {} : { prevNode }),
});

const headersOf = (index: number | undefined, clusterId?: string, { raftIndex, raftTerm }: Raft = {}) => {
  const headers: Record<string, string | undefined> = {
    'x-etcd-index': index?.toString(),
    'x-etcd-cluster-id': clusterId,
    'x-raft-index': raftIndex?.toString(),
    'x-raft-term': raftTerm?.toString(),
  };
  return { get: (name: string) => headers[name], toJSON: () => ({}) };
};
