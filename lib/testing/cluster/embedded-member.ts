import { BehaviorSubject, defer, filter, map, of, switchMap, take, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { AllowedHosts } from '../http/allowed-hosts.js';
import { Faults } from '../http/faults.js';
import { Listener } from '../http/listener.js';
import { RequestLog } from '../http/request-log.js';
import type { SeenRequest } from '../http/request-log.js';
import type { Clock } from '../store/clock.js';
import { MemberView } from './member-view.js';
import type { Common } from './member-view.js';
import { Replica } from './replica.js';
import type { MemberState } from './replica.js';

/** What a member is given by its cluster. */
interface MemberSetting {
  /** What it listens on. */
  readonly host: string;
  readonly allowed: AllowedHosts;
  readonly clock: Clock;
  /** Known once all members listen. */
  readonly common: () => Common;
}

/** One member of an embedded cluster: a port of its own, and a copy of the store. */
export class EmbeddedMember {
  readonly name: string;
  /** What goes wrong with its answers on purpose. */
  readonly faults = new Faults();
  /** @internal */
  readonly replica: Replica;
  readonly #host: string;
  readonly #common: () => Common;
  readonly #clock: Clock;
  /** Whether it deals with requests; those that come before wait. */
  readonly #awake$ = new BehaviorSubject(false);
  readonly #view: MemberView;
  readonly #requests = new RequestLog();
  readonly #listener: Listener;
  #port = 0;

  /** @internal */
  constructor(name: string, { host, allowed, clock, common }: MemberSetting) {
    this.name = name;
    this.#host = host;
    this.#clock = clock;
    this.#common = common;
    this.replica = new Replica(name, clock);
    this.#view = new MemberView(this.replica, clock, common, this.#awake$.pipe(filter(Boolean)));
    this.#listener = new Listener(this.#view, { allowed, faults: this.faults, log: this.#requests });
  }

  /** Where it listens for clients. */
  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  get state(): MemberState {
    return this.replica.state;
  }

  /** Its id as `/v2/members` tells it. */
  get id(): string {
    return this.#view.info.id;
  }

  /** The last 1,000 requests that it was sent, the oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.#requests.all;
  }

  /** Forgets the requests so far. */
  clearRequests(): void {
    this.#requests.clear();
  }

  /** Forgets past events, so that a watch that asks for them is told that they are gone (errorCode 401). */
  clearHistory(): void {
    this.replica.store.clearHistory();
  }

  /** Ends it as `kill -9` does: open connections are reset, new ones refused. */
  kill$(): Observable<void> {
    return defer(() => {
      this.#turn('dead');
      return this.#listener.close$();
    });
  }

  /** Lets it run again on the same port, killed before if it runs. It answers once it is part of a majority. */
  restart$(): Observable<void> {
    return this.kill$().pipe(
      switchMap(() => this.#listener.listen$(this.#host, this.#port)),
      map(() => {
        this.#view.startTime = this.#clock.now();
        this.#turn('running');
      }),
    );
  }

  /** Refuses its clients: open connections are reset. In the cluster it goes on as before, as leader, too. */
  refuse$(): Observable<void> {
    return this.#listener.close$();
  }

  /** Ends `refuse$()`. */
  accept$(): Observable<void> {
    return defer(() => {
      this.#demand('running', 'partitioned', 'frozen');
      return this.#listener.listens ? of(undefined) : this.#listener.listen$(this.#host, this.#port);
    }).pipe(map(() => undefined));
  }

  /** Stands still as after SIGSTOP: takes connections and requests, answers none. */
  freeze(): void {
    this.#demand('running', 'partitioned');
    this.#turn('frozen');
  }

  /** Goes on after `freeze()`, with the requests that came meanwhile; if it was cut off before, it no longer is. */
  resume(): void {
    this.#demand('frozen');
    this.#turn('running');
  }

  /** Cuts it off from all other members. Clients still reach it; it answers reads with what it knew, and takes no writes. */
  partition(): void {
    this.#demand('running');
    this.#turn('partitioned');
  }

  /**
   * Ends `partition()`: it hears what it missed, and so do its watches. If it stood for election meanwhile, which it does from the
   * election timeout on, the leader of the others steps down, and there is another election.
   */
  heal(): void {
    this.#demand('partitioned');
    this.#turn('running');
  }

  /** One readable line. */
  toString(): string {
    const { consensus } = this.#common();
    const leads = this.replica.leader === this.replica && consensus.hasQuorum(this.replica);
    return `EmbeddedMember ${this.name} (${leads ? 'leader, ' : ''}${this.state}) ${this.url}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** @internal */
  get listens(): boolean {
    return this.#listener.listens;
  }

  /** @internal Open ones. */
  get connections(): number {
    return this.#listener.connections;
  }

  /** @internal Listens, and emits the port. */
  listen$(port: number): Observable<number> {
    return this.#listener.listen$(this.#host, port).pipe(tap((bound) => (this.#port = bound)));
  }

  /** @internal All members are there. */
  start(): void {
    this.#awake$.next(true);
  }

  /** @internal */
  stop$(): Observable<void> {
    return defer(() => {
      this.replica.state = 'dead';
      return this.#listener.close$();
    });
  }

  #turn(state: MemberState): void {
    const { replica } = this;
    const { consensus } = this.#common();
    const before = replica.state;
    replica.state = state;
    consensus.reconsider();
    const starts = before === 'dead' && replica.answers && !consensus.hasQuorum(replica);
    this.#awake$.next(replica.answers && !starts);
    if (starts) this.#wakeWithQuorum();
  }

  #wakeWithQuorum(): void {
    this.replica.leader$
      .pipe(
        filter((leader) => leader !== undefined),
        take(1),
      )
      .subscribe({
        next: () => this.#awake$.next(this.state === 'running'),
        error: (error: unknown) => this.#awake$.error(error),
      });
  }

  #demand(...states: MemberState[]): void {
    if (!states.includes(this.state)) throw new Error(`${this.name} is ${this.state}`);
  }
}
