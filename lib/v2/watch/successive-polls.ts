import { EMPTY, Observable, of, type Observer, type Subscriber, Subscription } from 'rxjs';
import type { Batch } from '../../watch/leg-item.js';
import { surely } from './cursor.js';
import { formerOf, type Former } from './former-polls.js';
import { HistoryLost, lossOf } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { poll$, type Found, type PollPart } from './poll.js';
import { lag } from './rearm.js';
import { goesFirst, isScarce } from './scarce.js';

/** What polls tell one after the other, and that the position is to pass what one of them was silent about. */
export type PollsPart = PollPart | Passed;

export interface Passed {
  readonly type: 'passed';
  readonly from: number;
  readonly to: number;
}

/** Where a poll is to ask from: an index, now (undefined), or the position, which first passes on if it has to. */
export type Ask = { readonly from: number | undefined } | 'position';

/**
 * One poll after the other, each time it is asked. The older one goes on until the newer one has shown headers; where connections
 * are scarce, or headers are held back, it goes before. A newer one that fails is dropped without a trace as long as an older one goes on.
 *
 * All of them ask from the position, so that it does not matter which of them brings the event. Only when that is about to leave
 * etcd's history does the newer one ask from behind what the older one has seen, and the older one stays beside it.
 */
export function successivePolls$(site: LegSite, ask$: Observable<Ask>): Observable<PollsPart> {
  return new Observable((subscriber) => {
    const polls = new SuccessivePolls(site, subscriber);
    subscriber.add(() => {
      polls.stop();
    });
    return ask$.subscribe(polls);
  });
}

/** Takes the position on, unless it has moved meanwhile. */
export const passed$ = ({ position }: LegSite, { from, to }: Passed): Observable<Batch<never>> =>
  position.next === from ? of({ type: 'events', events: [], next: to, unproven: true }) : EMPTY;

class SuccessivePolls implements Observer<Ask> {
  readonly site: LegSite;
  readonly subscriber: Subscriber<PollsPart>;
  #charge: Poll | undefined;
  #successor: Poll | undefined;
  #unlisten: (() => void) | undefined;

  constructor(site: LegSite, subscriber: Subscriber<PollsPart>) {
    this.site = site;
    this.subscriber = subscriber;
    const { former, doubts } = site.position;
    if (former === undefined && doubts.length === 0) return;
    this.#listen();
    formerOf(site).check();
  }

  next(ask: Ask): void {
    const { position } = this.site;
    const { next } = position;
    const charge = this.#charge;
    const { upTo = 0 } = charge ?? {};
    if (ask !== 'position') this.#ask(ask.from);
    else if (charge?.isSilentFrom(next) === true && upTo >= (next ?? 0) && isFar(this.site))
      this.#pass(charge, upTo + 1);
    else this.#ask(next);
  }

  error(error: unknown): void {
    this.subscriber.error(error);
  }

  complete(): void {
    this.subscriber.complete();
  }

  stop(): void {
    this.#unlisten?.();
    this.#charge?.stop();
    this.#successor?.stop();
  }

  /** That poll stands. */
  stands(poll: Poll, part: PollPart): void {
    const charge = this.#charge;
    if (poll.passes && poll.asked === undefined && poll.upTo === undefined) {
      // Nobody can tell from where on.
      this.#successor = undefined;
      poll.stop();
      return;
    }
    if (poll === this.#successor && charge?.isArriving !== true) {
      this.#successor = undefined;
      this.#charge = poll;
      if (charge !== undefined && poll.passes) this.#relieve(charge, poll.from);
      else charge?.stop();
    }
    this.subscriber.next(part);
  }

  found(poll: Poll, part: Found): void {
    for (const other of [this.#charge, this.#successor]) if (other !== poll) other?.stop();
    this.#charge = undefined;
    this.#successor = undefined;
    this.subscriber.next(part);
  }

  failed(poll: Poll, error: unknown): void {
    const successor = this.#successor;
    if (poll === successor) {
      this.#successor = undefined;
      // History does not reach back to the position any more, which the older one still waits for.
      const isTooLate = lossOf(error) !== undefined && poll.asked !== undefined;
      if (isTooLate && this.#charge?.isSilentFrom(this.site.position.next) === true) this.#succeed(undefined);
    } else if (successor?.stands === true && !successor.passes) {
      this.#successor = undefined;
      this.#charge = successor;
    } else this.subscriber.error(error);
  }

  #ask(from: number | undefined): void {
    const charge = this.#charge;
    if (charge !== undefined && !goesFirst(this.site.context, this.site.endpoint)) {
      // One whose answer has begun may be the one that ends first.
      if (this.#successor?.isArriving !== true) this.#succeed(from);
      return;
    }
    charge?.stop();
    this.#charge = new Poll(this, from, false);
    this.#charge.start();
  }

  #succeed(from: number | undefined, passes = from === undefined): void {
    this.#successor?.stop();
    this.#successor = new Poll(this, from, passes);
    this.#successor.start();
  }

  /** To behind what that poll has seen, or if history does not reach back even to there, to now. */
  #pass(charge: Poll, to: number): void {
    const { context, endpoint } = this.site;
    if (goesFirst(context, endpoint)) {
      this.#charge = undefined;
      this.#relieve(charge, to);
      if (isScarce(context, endpoint)) formerOf(this.site).ended(charge);
      this.#ask(to);
    } else this.#succeed(context.watermark.value - to < surely ? to : undefined, true);
  }

  /** The position passes what that poll was silent about; from now on it waits for it beside. */
  #relieve(charge: Poll, to: number): void {
    const { next } = this.site.position;
    if (next === undefined || to <= next) {
      charge.stop();
      return;
    }
    const former = formerOf(this.site);
    this.#listen();
    charge.relieved = true;
    former.add(charge, to);
    this.subscriber.next({ type: 'passed', from: next, to });
  }

  #listen(): void {
    // Others may have ended since.
    this.#unlisten = formerOf(this.site).listen((what) => {
      if (what instanceof HistoryLost) this.subscriber.error(what);
      else this.subscriber.next(what);
    });
  }
}

/** Whether the position leaves what history surely holds before the next poll is due. */
const isFar = ({ context: { watermark }, position: { next = 0 } }: LegSite): boolean =>
  watermark.value - next > surely - lag;

/** One poll, and what it has shown. */
class Poll implements Former, Observer<PollPart> {
  /** Whether the position passes on as soon as it stands. */
  readonly passes: boolean;
  /** From which index, or from when it stands. */
  readonly asked: number | undefined;
  stands = false;
  /** Up to where it has looked, if that can be told. */
  upTo: number | undefined;
  /** A part of its event has come. */
  isArriving = false;
  /** Its successor stands: nobody waits for it but those who look after former polls. */
  relieved = false;
  readonly #polls: SuccessivePolls;
  /** Where the watch was when it was made. */
  readonly #position: number | undefined;
  readonly #subscription = new Subscription();

  constructor(polls: SuccessivePolls, asked: number | undefined, passes: boolean) {
    this.#polls = polls;
    this.asked = asked;
    this.passes = passes;
    this.#position = polls.site.position.next;
  }

  get from(): number {
    return this.asked ?? (this.upTo ?? 0) + 1;
  }

  /** Whether it stands, and nothing has come from there on. */
  isSilentFrom(next: number | undefined): boolean {
    return this.stands && !this.isArriving && (this.from === next || this.#position === next);
  }

  start(): void {
    this.#subscription.add(poll$(this.#polls.site, this.asked).subscribe(this));
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  next(part: PollPart): void {
    if (this.#subscription.closed) return;
    const { site } = this.#polls;
    if (part.type === 'event') {
      if (this.relieved) formerOf(site).found(this, part);
      else this.#polls.found(this, part);
    } else if (part.type === 'arriving') {
      this.isArriving = true;
      if (!this.relieved) this.#polls.subscriber.next(part);
    } else {
      this.stands = true;
      this.upTo = part.info.etcdIndex ?? site.position.toldBefore(site.endpoint, part.sentAt);
      this.#polls.stands(this, part);
    }
  }

  error(error: unknown): void {
    if (this.#subscription.closed) return;
    if (this.relieved) formerOf(this.#polls.site).ended(this);
    else this.#polls.failed(this, error);
  }

  complete(): void {
    // Behind its event.
  }
}
