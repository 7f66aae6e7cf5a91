import {
  EMPTY,
  Observable,
  Subject,
  NEVER,
  elementAt,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { startTcpProxy, type TcpProxy } from '../proxies/tcp-proxy.js';
import type { TcpLink } from '../proxies/tcp-link.js';
import { promptly, startRelay, type Relay } from './relay.js';
import type { Choice, Deed, Moment, Schedule } from './schedule.js';

/** What a middlebox has done so far; legs are connections whose client waited for events. */
export interface Tally {
  legsEnded: number;
  legsStalled: number;
  legsForgotten: number;
  othersEnded: number;
  othersStalled: number;
  othersForgotten: number;
}

/** Starts a middlebox on a free loopback port in front of `targetUrl`; it lives until `close$`. */
export function startMiddlebox(targetUrl: string): Observable<Middlebox> {
  return startRelay(targetUrl).pipe(
    switchMap((relay) => {
      const passing$ = new Subject<TcpLink>();
      return startTcpProxy(relay.url, { answering: (link) => passing$.next(link) }).pipe(
        map((front) => new Middlebox(front, relay, passing$)),
      );
    }),
  );
}

/** Stands between clients and a server, passes everything on, and does to it what a schedule says. */
export class Middlebox {
  readonly tally: Tally = {
    legsEnded: 0,
    legsStalled: 0,
    legsForgotten: 0,
    othersEnded: 0,
    othersStalled: 0,
    othersForgotten: 0,
  };
  readonly #front: TcpProxy;
  readonly #relay: Relay;
  readonly #passing$: Observable<TcpLink>;

  /** @internal Use `startMiddlebox`. */
  constructor(front: TcpProxy, relay: Relay, passing$: Observable<TcpLink>) {
    this.#front = front;
    this.#relay = relay;
    this.#passing$ = passing$;
  }

  get url(): string {
    return this.#front.url;
  }

  /** Open now, those that it has forgotten as well. */
  get links(): readonly TcpLink[] {
    return this.#front.links;
  }

  /** The half that understands HTTP. */
  get relay(): Relay {
    return this.#relay;
  }

  /** Answers that it gave by itself. */
  get paged(): number {
    return this.#relay.paged;
  }

  /**
   * Does what the schedule says and completes when that is over; emits nothing. Whatever still lasts when it is unsubscribed ends
   * then: what was held passes.
   *
   * @param over$ nothing more begins once it emits; what has begun ends in its time
   */
  play$(schedule: Schedule, over$: Observable<unknown> = NEVER): Observable<never> {
    return merge(
      ...schedule.map((entry) =>
        this.#moment$(entry, over$).pipe(mergeMap((link) => this.#perform$(entry, link))),
      ),
    ).pipe(
      ignoreElements(),
      finalize(() => this.heal()),
    );
  }

  /** Holds nothing back any more, and shows no page. What was forgotten stays so. */
  heal(): void {
    this.#relay.page = undefined;
    this.#relay.manner = promptly;
    this.#front.resume();
  }

  /** Ends all connections and stops listening; emits when that is done. */
  close$(): Observable<void> {
    return this.#front.close$().pipe(switchMap(() => this.#relay.close$()));
  }

  /** Emits once, at a piece its connection; never after `over$`. */
  #moment$(moment: Moment, over$: Observable<unknown>): Observable<TcpLink | undefined> {
    if ('piece' in moment) return this.#passing$.pipe(elementAt(moment.piece - 1), takeUntil(over$));
    const due$ = moment.atMs === 0 ? of(0) : timer(moment.atMs);
    return due$.pipe(
      map(() => undefined),
      takeUntil(over$),
    );
  }

  /** @param passing the connection whose piece has called for it */
  #perform$(deed: Deed, passing: TcpLink | undefined): Observable<unknown> {
    switch (deed.do) {
      case 'stall':
        return this.#stall$(deed, passing);
      case 'end':
        return this.#on(deed, passing, (link) => this.#end(link, deed.by));
      case 'forget':
        for (const link of this.links) if (link.idleMs >= deed.idleMs) this.#forget(link, deed.by);
        return EMPTY;
      case 'answer':
        this.#relay.page = deed.status;
        return timer(deed.forMs).pipe(tap(() => (this.#relay.page = undefined)));
      case 'buffer': {
        const { holdsHeads, lump } = deed;
        this.#relay.manner = { holdsHeads, lump };
        return timer(deed.forMs).pipe(tap(() => (this.#relay.manner = promptly)));
      }
    }
  }

  #stall$(deed: Extract<Deed, { do: 'stall' }>, passing: TcpLink | undefined): Observable<unknown> {
    return this.#on(deed, passing, (link) => {
      if (isLeg(link)) this.tally.legsStalled += 1;
      else this.tally.othersStalled += 1;
      link.hold(deed.way);
      return timer(deed.forMs).pipe(tap(() => link.hold(undefined)));
    });
  }

  #on(
    choice: Choice,
    passing: TcpLink | undefined,
    act: (link: TcpLink) => Observable<unknown>,
  ): Observable<unknown> {
    const open = this.links.filter((link) => !link.isForgotten && (choice.among === 'all' || isLeg(link)));
    const chosen = passing ?? open[choice.link % open.length];
    return from(chosen === undefined ? [] : [chosen]).pipe(mergeMap(act));
  }

  #end(link: TcpLink, by: 'fin' | 'rst'): Observable<never> {
    if (isLeg(link)) this.tally.legsEnded += 1;
    else this.tally.othersEnded += 1;
    if (by === 'fin') link.finish();
    else link.reset();
    return EMPTY;
  }

  #forget(link: TcpLink, by: 'silence' | 'fin' | 'rst'): void {
    if (link.isForgotten) return;
    if (by !== 'silence') {
      this.#end(link, by);
      return;
    }
    if (isLeg(link)) this.tally.legsForgotten += 1;
    else this.tally.othersForgotten += 1;
    link.forget();
  }
}

const isLeg = ({ asked }: TcpLink): boolean => asked.includes('wait=true');
