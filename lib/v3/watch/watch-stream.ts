import {
  Observable,
  Subject,
  switchMap,
  timer,
  type Observer,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { MemberLeft } from '../../watch/member-left.js';
import type { Answer, Message } from '../wire/messages.js';
import { askAgainMs, overdueMs, progressMs, streamGraceMs } from './timing.js';

/** What a member tells of a watch. */
export type WatchMessage = Answer<'WatchResponse'>;
/** What a stream asks of a member. */
export type WatchRequest = Message<'WatchRequest'>;
/** What is watched, and from where on. */
export type WatchCreate = Omit<Message<'WatchCreateRequest'>, 'watch_id'>;

/** The id in what a member tells of no watch: a refusal, or progress that was requested. */
export const noWatch = -1;

/** What becomes of a stream, for whoever keeps it. */
export interface StreamKeeper {
  /** It is over: who wants to watch takes another. */
  ended(stream: WatchStream): void;
  /** Something was asked and nothing came for a while. Errors with what is to end the stream, if that says so. */
  overdue$(stream: WatchStream): Observable<never>;
}

/** One watch on a stream. */
class Seat {
  readonly id: number;
  /** Undefined once nobody wants it any more. */
  subscriber: Subscriber<WatchMessage> | undefined;
  /** So many answers about progress may come that were given before it stood: they say nothing of it. */
  #former: number;
  /** That of its member when it stood. */
  #since = 0;

  constructor(id: number, subscriber: Subscriber<WatchMessage>, former: number) {
    this.id = id;
    this.subscriber = subscriber;
    this.#former = former;
  }

  /** It stands, at a member of that revision. */
  stands(revision: number): void {
    this.#since = revision;
  }

  /**
   * Whether progress that its member tells at that revision is its own too: the word that a watch stands may overtake what
   * was said of the others before, as the two wait in lines of their own at the member.
   */
  shares(revision: number): boolean {
    if (revision > this.#since) this.#former = 0;
    if (this.#former === 0) return true;
    this.#former -= 1;
    return false;
  }
}

/**
 * A stream to one member that any number of watches share: each is created, and cancelled, by a message in it (etcd:
 * `rpc.proto`, "Watch"). A member answers creates in the order in which they were sent, refusals too, which bear no id; so
 * each answer is for the watch that has waited longest.
 */
export class WatchStream implements Observer<WatchMessage> {
  /** Its member can be asked for its progress. */
  readonly tellsProgress = true;
  readonly #keeper: StreamKeeper;
  readonly #requests$ = new Subject<WatchRequest>();
  /** Created, as far as is known here; in the order of their requests. */
  readonly #unanswered: Seat[] = [];
  readonly #standing = new Map<number, Seat>();
  #lastId = 0;
  #wanted = 0;
  #isOver = false;
  /** What ended it. */
  #endedBy: unknown;
  #connection: Subscription | undefined;
  #hasAnswered = false;
  #overdue: Subscription | undefined;
  #grace: Subscription | undefined;
  #toldUpTo = 0;
  /** Progress was asked for and not told yet. */
  #asksProgress = false;
  /** So often progress was asked for and may be told yet. */
  #mayTell = 0;
  #progress: Subscription | undefined;

  /** @param open$ connects: sends what it is given, and emits what the member tells */
  constructor(
    open$: (requests$: Observable<WatchRequest>) => Observable<WatchMessage>,
    keeper: StreamKeeper,
  ) {
    this.#keeper = keeper;
    const connection = open$(this.#requests$).subscribe(this);
    if (this.#isOver) connection.unsubscribe();
    else {
      this.#connection = connection;
      this.#askProgress(progressMs);
    }
  }

  /**
   * A watch of its own on the stream: emits what the member tells of it, and what it tells of all. Errors when the stream
   * ends. Unsubscribing cancels it at the member.
   */
  watch$(create: WatchCreate): Observable<WatchMessage> {
    return new Observable((subscriber) => this.#take(create, subscriber));
  }

  #take(create: WatchCreate, subscriber: Subscriber<WatchMessage>): (() => void) | undefined {
    if (this.#isOver) {
      subscriber.error(this.#endedBy);
      return undefined;
    }
    this.#grace?.unsubscribe();
    const seat = new Seat((this.#lastId += 1), subscriber, this.#mayTell);
    this.#wanted += 1;
    this.#unanswered.push(seat);
    this.#requests$.next({ create_request: { ...create, watch_id: seat.id } });
    if (!this.#hasAnswered && this.#overdue === undefined) this.#expect();
    return () => {
      this.#leave(seat);
    };
  }

  /** It has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The highest revision that the member has told of here. */
  get toldUpTo(): number {
    return this.#toldUpTo;
  }

  /**
   * Asks how far the member has told everything, of all that is watched here: until it says so, as it does not while one of
   * them has something to catch up with.
   *
   * @param inMs not before
   */
  requestProgress(inMs = 0): void {
    if (this.#isOver || this.#asksProgress) return;
    if (inMs > 0) {
      this.#askProgress(inMs);
      return;
    }
    this.#asksProgress = true;
    this.#askProgress(askAgainMs);
  }

  /** @param ms after which it is asked again */
  #askProgress(ms: number): void {
    this.#progress?.unsubscribe();
    if (this.#asksProgress) {
      this.#mayTell += 1;
      this.#requests$.next({ progress_request: {} });
    }
    this.#progress = unrefScheduler.schedule(() => {
      this.#asksProgress = true;
      this.#askProgress(askAgainMs);
    }, ms);
  }

  /** Ends it for all. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endedBy = error;
    this.#overdue?.unsubscribe();
    this.#grace?.unsubscribe();
    this.#progress?.unsubscribe();
    this.#connection?.unsubscribe();
    this.#keeper.ended(this);
    const seats = [...this.#standing.values(), ...this.#unanswered];
    this.#standing.clear();
    this.#unanswered.length = 0;
    for (const { subscriber } of seats) subscriber?.error(error);
  }

  next(message: WatchMessage): void {
    if (this.#isOver) return;
    const { watch_id: id, created, canceled, header } = message;
    this.#toldUpTo = Math.max(this.#toldUpTo, header?.revision ?? 0);
    if (created) {
      this.#created(message);
      return;
    }
    if (id === noWatch) {
      this.#mayTell = Math.max(0, this.#mayTell - 1);
      const standing = [...this.#standing.values()];
      const told = standing.filter((seat) => seat.shares(header?.revision ?? 0));
      this.#asksProgress = told.length < standing.length;
      this.#askProgress(this.#asksProgress ? askAgainMs : progressMs);
      for (const { subscriber } of told) subscriber?.next(message);
      return;
    }
    const seat = this.#standing.get(id);
    if (canceled) this.#standing.delete(id);
    seat?.subscriber?.next(message);
  }

  error(error: unknown): void {
    this.end(error);
  }

  complete(): void {
    this.end(new MemberLeft('its stream ended'));
  }

  #created(message: WatchMessage): void {
    const { watch_id: id } = message;
    const [seat] = this.#unanswered;
    if (seat === undefined || (id !== noWatch && id !== seat.id)) {
      this.end(new MemberLeft('it answered for a watch that was not asked for'));
      return;
    }
    this.#unanswered.shift();
    this.#hasAnswered = true;
    this.#overdue?.unsubscribe();
    seat.stands(message.header?.revision ?? 0);
    if (id !== noWatch) {
      if (seat.subscriber === undefined) this.#cancel(id);
      else if (!message.canceled) this.#standing.set(id, seat);
    }
    seat.subscriber?.next(message);
  }

  #leave(seat: Seat): void {
    if (this.#isOver) return;
    seat.subscriber = undefined;
    this.#wanted -= 1;
    if (this.#standing.delete(seat.id)) this.#cancel(seat.id);
    // One that has not been answered is cancelled when it is.
    if (this.#wanted > 0) return;
    this.#grace = unrefScheduler.schedule(() => {
      this.end(new MemberLeft('nobody watches'));
    }, streamGraceMs);
  }

  #cancel(id: number): void {
    this.#requests$.next({ cancel_request: { watch_id: id } });
  }

  /** The first answer is due after a while; where one has passed others do, and a member that stops is found by its probes. */
  #expect(): void {
    this.#overdue = timer(overdueMs)
      .pipe(switchMap(() => this.#keeper.overdue$(this)))
      .subscribe({
        error: (error: unknown) => {
          this.end(error);
        },
      });
  }
}
