import { Observable, type Observer, type Subscriber } from 'rxjs';
import type { LegSite } from './leg-site.js';
import type { PollPart } from './poll-part.js';
import { showsMore } from './pass.js';
import type { StoreIndex } from './read-index.js';
import { readState$ } from './read-state.js';
import { rearmAfterMs, rearmGapMs } from './timing.js';

/** An idle leg asks again once the store is this far ahead of where it was when it asked last. */
export const lag = 250;

/** Of the 1,000 events that etcd keeps, so many may pass before the next reading and the poll behind it. */
const room = 350;

const history = 1_000;

/** What an idle leg tells of itself. */
export interface Idle {
  /** Nothing is to be asked, as an event is arriving. */
  readonly busy: () => boolean;
  /** Below this index nothing but its polls brings the leg what happens. Default: nothing else does at all. */
  readonly uncovered?: () => number;
  /** Called each time the store index is told. */
  readonly told?: (() => void) | undefined;
}

/**
 * When an idle leg should ask its member again, and from where: from its position, as long as that is in history. Before it
 * leaves that the leg passes on to behind what its polls were silent about, unless the state shows that something was missed.
 *
 * One object for each idle watch, not a chain of operators: there may be thousands.
 */
export class Rearm implements Observer<StoreIndex> {
  readonly #site: LegSite;
  readonly #idle: Idle;
  #subscriber: Subscriber<number> | undefined;
  #askedAt = performance.now();
  /** Where the store was then. */
  #askedUpTo = 0;
  /** Up to where polls were silent then. */
  #foundTo = 0;
  #freeAt = -Infinity;
  #turn: ReturnType<typeof setTimeout> | undefined;
  #reading: { readonly index: number; readonly at: number } | undefined;
  /** What the latest poll is silent about: up to where, since when, and from which position. */
  #silence: { readonly upTo: number; readonly at: number; readonly next: number | undefined } | undefined;
  #passes = false;

  constructor(site: LegSite, idle: Idle) {
    this.#site = site;
    this.#idle = idle;
  }

  /** Emits where to ask from, each time it is due. */
  get asks$(): Observable<number> {
    return new Observable((subscriber) => {
      this.#subscriber = subscriber;
      subscriber.add(() => {
        clearTimeout(this.#turn);
      });
      return this.#site.context.storeIndex$.subscribe(this);
    });
  }

  /**
   * The latest poll has told something.
   *
   * @param from where it was asked from
   */
  saw(part: PollPart, from: number | undefined): void {
    const { position } = this.#site;
    this.#silence = undefined;
    if (part.type === 'registered') {
      // Where headers cannot be read it has looked at least up to what its member had told before.
      const { index, at } = this.#reading ?? { index: 0, at: Infinity };
      const upTo = part.info.etcdIndex ?? (at <= part.sentAt ? index : 0);
      if (upTo > 0) this.#silence = { upTo, at: performance.now(), next: position.next };
    } else if (from !== undefined) position.silentTo = Math.min(position.silentTo, from);
  }

  next(reading: StoreIndex): void {
    const now = performance.now();
    if (reading.answered && reading.endpoint === this.#site.endpoint) this.#heard(reading, now);
    this.#idle.told?.();
    if (this.#turn !== undefined || now < this.#freeAt || !this.#isDue(now)) return;
    this.#freeAt = now + rearmGapMs;
    this.#turn = setTimeout(() => {
      this.#ask();
    }, this.#site.context.pace.delay(now));
  }

  error(error: unknown): void {
    this.#subscriber?.error(error);
  }

  complete(): void {
    this.#subscriber?.complete();
  }

  /** The member answers: what a poll that stood before was silent about may be passed, if need be. */
  #heard({ index, sentAt }: StoreIndex, at: number): void {
    const { position } = this.#site;
    const silence = this.#silence;
    if (silence !== undefined && sentAt >= silence.at && silence.next === position.next)
      position.silentTo = Math.max(position.silentTo, silence.upTo + 1);
    if (index > 0) this.#reading = { index, at };
  }

  #isDue(now: number): boolean {
    const { next, lost } = this.#site.position;
    if (this.#passes || this.#idle.busy() || lost !== undefined || next === undefined) return false;
    const { value } = this.#site.context.watermark;
    if (value - Math.max(next, this.#askedUpTo + 1) > lag) return true;
    // Its connection may be dead, or hold back what has happened, until two polls have found nothing.
    return value >= Math.max(next, this.#foundTo) && now - this.#askedAt > rearmAfterMs;
  }

  /** When its turn comes, it may no longer be needed. */
  #ask(): void {
    this.#turn = undefined;
    const now = performance.now();
    if (!this.#isDue(now)) return;
    this.#askedAt = now;
    this.#askedUpTo = this.#site.context.watermark.value;
    this.#foundTo = this.#site.position.silentTo;
    if (this.#mayPass) this.#pass();
    else this.#subscriber?.next(this.#place);
  }

  get #isFar(): boolean {
    const { context, position } = this.#site;
    return context.watermark.value - (position.next ?? 0) > history - room;
  }

  /** What something else brings, however late, need not be passed. */
  get #mayPass(): boolean {
    const { next = 0, silentTo } = this.#site.position;
    return this.#isFar && silentTo > next && this.#uncovered > next;
  }

  get #uncovered(): number {
    return this.#idle.uncovered?.() ?? Infinity;
  }

  /** Where to ask from. */
  get #place(): number {
    const { next = 0, silentTo } = this.#site.position;
    return this.#isFar && this.#uncovered <= next ? Math.max(next, silentTo) : next;
  }

  /** Something may be held back: if the state shows it, it is asked for once more, as long as that may help. */
  #pass(): void {
    this.#passes = true;
    const ask = (): void => {
      this.#passes = false;
      this.#subscriber?.next(this.#place);
    };
    const read = readState$(this.#site).subscribe({
      next: (state) => {
        if (!showsMore(this.#site, state)) this.#site.position.pass(this.#uncovered);
      },
      error: ask,
      complete: ask,
    });
    this.#subscriber?.add(read);
  }
}
