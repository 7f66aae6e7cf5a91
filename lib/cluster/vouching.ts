import { concat, defer, EMPTY, ReplaySubject, share, throwError, type Observable } from 'rxjs';
import { withheld } from '../transport/transport-error.js';
import { instant } from '../util/instant.js';

/** Says of new connections who took them. */
export class Vouching {
  readonly #probe$: (url: string) => Observable<never>;
  readonly #isVerified: (url: string, since: number) => boolean;
  /** The probe of each endpoint that was last sent for those who need one from now on, and the one to follow it. */
  readonly #sent = new Map<string, Observable<never>>();
  readonly #next = new Map<string, Observable<never>>();

  /**
   * @param probe$ asks an endpoint who it is; never errors
   * @param isVerified a probe that was sent since then has found a member of the cluster there
   */
  constructor(
    probe$: (url: string) => Observable<never>,
    isVerified: (url: string, since: number) => boolean,
  ) {
    this.#probe$ = probe$;
    this.#isVerified = isVerified;
  }

  /**
   * Completes once a probe that is sent from now on has found a member of the cluster at this endpoint; then that member
   * is who took the connections that stand now. Errors when it has not.
   */
  vouch$(url: string): Observable<never> {
    return defer(() => {
      const since = instant();
      return concat(
        this.#askAnew$(url),
        defer(() => (this.#isVerified(url, since) ? EMPTY : throwError(() => withheld()))),
      );
    });
  }

  /** The endpoint is none any more. */
  forget(url: string): void {
    this.#sent.delete(url);
    this.#next.delete(url);
  }

  /** Asks later than this is called. One probe at a time: whoever comes meanwhile shares the next. */
  #askAnew$(url: string): Observable<never> {
    const next = this.#next.get(url);
    if (next !== undefined) return next;
    const anew$: Observable<never> = concat(
      defer(() => this.#sent.get(url) ?? EMPTY),
      defer(() => {
        // It is none any more, or was, and others wait for the one that came.
        if (this.#next.get(url) !== anew$) return EMPTY;
        this.#next.delete(url);
        this.#sent.set(url, anew$);
        return this.#probe$(url);
      }),
    ).pipe(
      share({
        connector: () => new ReplaySubject<never>(1),
        resetOnComplete: false,
        resetOnRefCountZero: false,
      }),
    );
    this.#next.set(url, anew$);
    return anew$;
  }
}
