import { delay, map, Observable, switchMap, timer } from 'rxjs';
import { isBefore } from '../../cluster/server-version.js';
import { EtcdError } from '../../errors.js';
import { MemberLeft } from '../../watch/member-left.js';
import { lagMs, overdueMs } from './timing.js';
import {
  WatchStream,
  type StreamKeeper,
  type WatchCreate,
  type WatchMessage,
  type WatchRequest,
} from './watch-stream.js';

/** How streams are opened. */
export interface StreamsConfig {
  /** A request may go on while its answer is read. */
  readonly openBodies: boolean;
  /** A stream at that endpoint: of many watches, or of one. */
  readonly open$: (
    endpoint: string,
    requests: Observable<WatchRequest> | WatchRequest,
  ) => Observable<WatchMessage>;
  /** Emits once the endpoint has answered a request that is sent now. */
  readonly answers$: (endpoint: string) => Observable<unknown>;
  /** The token that a stream is opened with now: it is the only one that its watches are created with. Default: none. */
  readonly token?: () => string | undefined;
  /** The release that runs at an endpoint. */
  readonly version: (endpoint: string) => string | undefined;
}

/** What a watch stands on. */
export interface Line extends Pick<WatchStream, 'watch$' | 'requestProgress'> {
  /** Its member can be asked for its progress. */
  readonly tellsProgress: boolean;
}

/** Where a stream was opened, and with which token. */
interface Place {
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** So far may a stream fall behind before it is asked how far it has told everything: it could miss what is compacted. */
const farBehind = 1_000;

/** The streams of a client: one at each endpoint that all watches there share, and those of watches that have far to go. */
export class WatchStreams implements StreamKeeper {
  readonly #config: StreamsConfig;
  readonly #shared = new Map<string, WatchStream>();
  readonly #places = new Map<WatchStream, Place>();
  /** Endpoints where something in between passes on no body before it has ended: each watch has a request there. */
  readonly #closed = new Set<string>();

  constructor(config: StreamsConfig) {
    this.#config = config;
  }

  /** The stream for a watch at that endpoint. @param apart one of its own */
  take(endpoint: string, apart: boolean): Line {
    const { openBodies, open$ } = this.#config;
    if (!openBodies || this.#closed.has(endpoint))
      return {
        watch$: (create) => this.#single$(endpoint, create),
        tellsProgress: false,
        requestProgress: () => undefined,
      };
    const token = this.#config.token?.();
    const known = apart ? undefined : this.#shared.get(endpoint);
    // What stands on a stream with another token stays there.
    if (known !== undefined && this.#places.get(known)?.token === token) return known;
    const stream = new WatchStream((requests$) => open$(endpoint, requests$), this);
    if (stream.isOver) return stream;
    this.#places.set(stream, { endpoint, token });
    if (!apart) this.#shared.set(endpoint, stream);
    return stream;
  }

  /**
   * Whether progress that is requested there is told behind all that happened before. Older releases answer at once, ahead
   * of what they have yet to tell (etcd issue 15220).
   */
  tellsInOrder(endpoint: string): boolean {
    const version = this.#config.version(endpoint);
    if (version === undefined) return false;
    return !isBefore(version, version.startsWith('3.4.') ? '3.4.25' : '3.5.8');
  }

  /** The store has reached that revision. */
  reached(revision: number): void {
    for (const stream of this.#places.keys())
      if (revision - stream.toldUpTo > farBehind) stream.requestProgress();
  }

  ended(stream: WatchStream): void {
    const endpoint = this.#places.get(stream)?.endpoint;
    this.#places.delete(stream);
    if (endpoint !== undefined && this.#shared.get(endpoint) === stream) this.#shared.delete(endpoint);
  }

  /** If the member answers elsewhere, something in between waits for the end of the request. */
  overdue$(stream: WatchStream): Observable<never> {
    const { endpoint = '' } = this.#places.get(stream) ?? {};
    return this.#config.answers$(endpoint).pipe(
      map(() => {
        this.#closed.add(endpoint);
        throw new MemberLeft('something in between holds back what is asked');
      }),
    );
  }

  /** A watch on a request of its own, which ends before it is answered. */
  #single$(endpoint: string, create: WatchCreate): Observable<WatchMessage> {
    const { open$, answers$ } = this.#config;
    return new Observable((subscriber) => {
      const error = (thrown: unknown): void => {
        subscriber.error(thrown);
      };
      const overdue = timer(lagMs)
        .pipe(
          switchMap(() => answers$(endpoint)),
          // A member that had stopped answers both once it goes on, in any order.
          delay(overdueMs),
        )
        .subscribe({
          next: () => {
            error(new EtcdError('UNEXPECTED_RESPONSE', heldBack, { endpoint, hint }));
          },
          error,
        });
      subscriber.add(overdue);
      return open$(endpoint, { create_request: create }).subscribe({
        next: (message) => {
          overdue.unsubscribe();
          subscriber.next(message);
        },
        error,
        complete: () => {
          error(new MemberLeft('its stream ended'));
        },
      });
    });
  }
}

const heldBack = 'watch: something in between holds back the answers of a watch until they end';
const hint = 'in nginx: proxy_buffering off; proxy_request_buffering off; proxy_http_version 1.1;';
