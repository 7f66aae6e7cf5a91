import type { Observable, Subscription } from 'rxjs';
import type { Attempt, Lost } from '../errors.js';
import type { LegItem } from './leg-item.js';
import type { Position } from './position.js';

/** Where a leg runs. */
export interface Site<P extends Position> {
  readonly endpoint: string;
  readonly position: P;
  /** Where the leg starts: from its position, or with the state, in place of what is lost. */
  readonly start: 'position' | 'state';
  /** Open as long as the watch is at this endpoint without a failure: what outlives a leg ends with it. */
  readonly stay: Subscription;
}

/** A state that was read for one subscriber. */
export interface InitialState<E> {
  readonly event: E;
  /** It holds everything below this place ... */
  readonly next: number;
  /** ... of this epoch, and of those before. */
  readonly epoch: number;
}

/** What a failure means to a watch: another leg, another leg that starts with the state, or its end. */
export type Verdict = 'again' | { readonly lost: Lost['reason'] } | Error;

/** How one watch of an API is carried out. The runner knows nothing else of the API. */
export interface WatchProtocol<E, P extends Position> {
  /** A position before the first leg. @param from the first place of interest; undefined: from now on */
  position(from: number | undefined): P;
  /** One leg: at one member, from the position on, until it ends in `end` or in an error. */
  leg$(site: Site<P>): Observable<LegItem<E>>;
  /**
   * Reads the state where the watch stands, for a subscriber that starts with it. Errors if it is that of a member that
   * lags behind the position.
   *
   * @param again whether that was tried before
   */
  state$(site: Site<P>, again: boolean): Observable<InitialState<E>>;
  /** Asked when a leg has failed for a reason of the API's own. */
  verdict(error: unknown, attempt: Attempt): Verdict;
}
