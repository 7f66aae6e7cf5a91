import {
  catchError,
  concat,
  defer,
  exhaustMap,
  filter,
  last,
  map,
  of,
  take,
  tap,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { Compose } from './compose.js';
import { httpGet } from '../etcd/http-get.js';
import type { ClientTls, MemberState, TestMember } from '../cluster/test-cluster.js';

export interface ComposeMemberOptions {
  compose: Compose;
  index: number;
  /** The service of the compose file; also etcd's name. */
  name: string;
  container: string;
  clientUrl: string;
  peerUrl: string;
  tls?: ClientTls;
}

/** Longest wait in ms for a member to answer once it was started. */
const patience = 30_000;

/** One member in a container of a compose project. Its state is what it was told. */
export class ComposeMember implements TestMember {
  readonly index: number;
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly tls?: ClientTls;
  readonly #compose: Compose;
  readonly #container: string;
  #state: MemberState = 'running';
  #partitioned = false;

  constructor({ compose, index, name, container, clientUrl, peerUrl, tls }: ComposeMemberOptions) {
    this.index = index;
    this.name = name;
    this.clientUrl = clientUrl;
    this.peerUrl = peerUrl;
    if (tls !== undefined) this.tls = tls;
    this.#compose = compose;
    this.#container = container;
  }

  get state(): MemberState {
    return this.#state;
  }

  get partitioned(): boolean {
    return this.#partitioned;
  }

  kill$(): Observable<void> {
    return defer(() =>
      this.#state === 'down'
        ? of(undefined)
        : all(this.#compose.signal$(this.name, 'SIGKILL'), this.#compose.ended$(this.#container)),
    ).pipe(tap(() => (this.#state = 'down')));
  }

  stop$(): Observable<void> {
    return this.#signal('SIGSTOP', 'stopped');
  }

  resume$(): Observable<void> {
    return this.#signal('SIGCONT', 'running');
  }

  restart$(): Observable<void> {
    return all(
      this.kill$(),
      this.#compose.start$(this.name).pipe(tap(() => (this.#state = 'running'))),
      this.listening$(),
    );
  }

  /** It leaves the network of the members; its published port is on another one. */
  partition$(): Observable<void> {
    return defer(() =>
      this.#partitioned ? of(undefined) : this.#compose.disconnect$('peer', this.#container),
    ).pipe(tap(() => (this.#partitioned = true)));
  }

  heal$(): Observable<void> {
    return defer(() =>
      this.#partitioned
        ? this.#compose.connect$('peer', this.#container, new URL(this.peerUrl).hostname)
        : of(undefined),
    ).pipe(tap(() => (this.#partitioned = false)));
  }

  /** Its data goes with the project. */
  terminate$(): Observable<void> {
    return this.kill$();
  }

  /** Emits when it answers; without a quorum too. (Docker itself takes connections before.) */
  listening$(): Observable<void> {
    return timer(0, 20).pipe(
      exhaustMap(() =>
        httpGet(`${this.clientUrl}/version`, 1_000, this.tls).pipe(catchError(() => of(undefined))),
      ),
      filter((answer) => answer?.status === 200),
      take(1),
      map(() => undefined),
      timeout({ first: patience }),
    );
  }

  #signal(signal: NodeJS.Signals, state: MemberState): Observable<void> {
    return defer(() => {
      if (this.#state === 'down') throw new Error(`${this.name} is down`);
      return this.#compose.signal$(this.name, signal);
    }).pipe(tap(() => (this.#state = state)));
  }
}

/** One after the other; emits once, at the end. */
const all = (...steps: Observable<void>[]): Observable<void> => concat(...steps).pipe(last());
