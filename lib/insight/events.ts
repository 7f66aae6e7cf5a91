import { defined } from '../util/defined.js';
import { Subject, type Observable } from 'rxjs';
import type { Lost } from '../errors.js';

interface Base {
  /** When it happened. */
  readonly at: Date;
}

/** One shape for each name, not one for several: TypeScript narrows by nothing less. */
type OneFor<Type extends string, Shape> = Type extends string ? Shape & { readonly type: Type } : never;

interface MemberRef {
  readonly id: string;
  readonly name: string;
}

interface RequestBase extends Base {
  /** The call's operation: `get`, `set`, `watch`, `probe` ... */
  readonly operation: string;
  readonly endpoint: string;
  readonly method: string;
  /** The path without its query: conditions in a query are values. */
  readonly path: string;
}

interface WatchBase extends Base {
  /** The watch's number within its client. */
  readonly id: number;
  readonly key: string;
}

/**
 * What happens inside a client, for logs and metrics: a union on `type`. No event carries a body, a value or a
 * credential.
 */
export type ClientEvent =
  | (RequestBase & { readonly type: 'request' })
  | (RequestBase & {
      readonly type: 'response';
      /** The HTTP status, if an answer came. */
      readonly status?: number;
      /** Why none came. */
      readonly error?: string;
      readonly durationMs: number;
    })
  | (Base & {
      readonly type: 'retry';
      readonly operation: string;
      readonly endpoint: string;
      readonly reason: string;
      /** The number of the retry, from 1. */
      readonly attempt: number;
    })
  | (Base & {
      readonly type: 'failover';
      readonly operation: string;
      readonly from: string;
      readonly to: string;
    })
  | (Base & {
      readonly type: 'leader-change';
      readonly leader?: MemberRef;
      readonly previous?: MemberRef;
      /** How long the previous state held. */
      readonly durationMs: number;
    })
  | OneFor<
      'member-down' | 'member-up',
      Base & {
        readonly member: MemberRef;
        /** How long the member was what it was before: up, or down. */
        readonly durationMs: number;
      }
    >
  | (Base & {
      /** Fewer members than a majority can be reached at all: the client trusts what it is told. */
      readonly type: 'partial-view';
      readonly reachable: number;
      readonly members: number;
    })
  | OneFor<
      'no-v2-api' | 'no-v3-api',
      Base & {
        /** The server at this endpoint answers, but lacks the API of this client. Told once, and again after it had it. */
        readonly endpoint: string;
        /** The release it runs, as `3.5.16`. */
        readonly version?: string;
      }
    >
  | (Base & {
      /** What was asked for may mean something else than the user thinks. */
      readonly type: 'hint';
      readonly operation: string;
      readonly hint: string;
    })
  | (Base & {
      /** A member list was longer than is believed: 64 members, 8 URLs each. */
      readonly type: 'member-list-cut';
      /** How much of it is not used, as `1936 of 2000 members`. */
      readonly ignored: string;
    })
  | (Base & {
      /** No member can be reached: each of them is down. Told once, for all calls and watches. */
      readonly type: 'cluster-down';
      /** Since when the last of them is. */
      readonly since: Date;
      /** How many they are. */
      readonly members: number;
    })
  | (Base & {
      /** One of them answers again. */
      readonly type: 'cluster-up';
      /** How long none did. */
      readonly durationMs: number;
    })
  | (WatchBase & {
      readonly type: 'watch-live';
      readonly endpoint: string;
      readonly index?: number;
      /** After a loss: how long it was not live. */
      readonly durationMs?: number;
    })
  | OneFor<
      'watch-catching-up' | 'watch-waiting',
      WatchBase & { readonly endpoint: string; readonly index?: number }
    >
  | (WatchBase & {
      /** Its connection is gone; told for each try that fails until it is live again. */
      readonly type: 'watch-lost';
      readonly endpoint: string;
      readonly reason: string;
      /** How long it has been lost already; absent of the first. */
      readonly durationMs?: number;
      readonly index?: number;
    })
  | (WatchBase & {
      readonly type: 'watch-resync';
      readonly endpoint: string;
      readonly reason: string;
      readonly lost: Lost;
    })
  | (WatchBase & { readonly type: 'watch-ended'; readonly durationMs: number; readonly error?: string });

/** What a request or an answer holds: for debugging only, and apart from the events, which never hold it. */
export interface BodyText extends RequestBase {
  readonly direction: 'sent' | 'received';
  readonly status?: number;
  readonly body: string;
}

/** What happened, without its time; a field that is undefined is left out. */
export type WithoutTime<E> = E extends unknown ? Loose<Omit<E, 'at'>> : never;
type Loose<T> = { [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };

/** Carries the client's events to whoever observes them; an unobserved event is not even built. */
export class EventBus {
  readonly #events$ = new Subject<ClientEvent>();
  readonly #bodies$ = new Subject<BodyText>();
  readonly #isConfidential: (exchange: Pick<BodyText, 'path' | 'operation'>) => boolean;
  /** Hot: what happens from now on. */
  readonly events$: Observable<ClientEvent> = this.#events$.asObservable();

  /** Hot: the bodies of requests and answers, but none that is confidential. */
  readonly bodies$: Observable<BodyText> = this.#bodies$.asObservable();

  /** @param isConfidential whether the bodies of such a request are never shown, as the API knows. Default: none is shown */
  constructor(isConfidential: (exchange: Pick<BodyText, 'path' | 'operation'>) => boolean = () => true) {
    this.#isConfidential = isConfidential;
  }

  /** Anyone observes the events. */
  get observed(): boolean {
    return this.#events$.observed;
  }

  /** Anyone observes the bodies. */
  get bodiesObserved(): boolean {
    return this.#bodies$.observed;
  }

  /** Builds and emits an event if anyone observes. */
  emit(build: () => WithoutTime<ClientEvent>): void {
    if (this.#events$.observed) this.#events$.next({ ...defined(build()), at: new Date() });
  }

  /** Builds and emits a body if anyone observes, unless it is confidential. */
  emitBody(build: () => WithoutTime<BodyText>): void {
    if (!this.#bodies$.observed) return;
    const body = build();
    if (body.body !== '' && !this.#isConfidential(body))
      this.#bodies$.next({ ...defined(body), at: new Date() });
  }

  /** Completes `events$`. */
  close(): void {
    this.#events$.complete();
    this.#bodies$.complete();
  }
}
