import {
  catchError,
  defer,
  EMPTY,
  ignoreElements,
  last,
  map,
  of,
  retry,
  share,
  switchMap,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import type { Attempt } from '../errors.js';
import { TransportError } from '../transport/transport-error.js';
import { UnusableError } from '../transport/unusable.js';
import { Fault } from './fault.js';
import { defined } from '../util/defined.js';
import { instant } from '../util/instant.js';
import type { Probe } from './probe.js';
import type { EndpointTable } from './endpoint-table.js';
import { unrefScheduler } from '#platform/util/unref-scheduler.js';
import { checkOnceMs } from './timing.js';

/** How often a probe is sent again after its connection broke. */
const resets = 2;

const isReset = (error: unknown): boolean => error instanceof TransportError && error.kind === 'reset';

/** Asks endpoints who they are, and lets the table learn from it. */
export class Prober {
  readonly #probe: Probe;
  readonly #table: EndpointTable;
  readonly #learnt: (isNews: boolean) => void;
  readonly #mayWait: boolean;
  /** The check of each endpoint, shared by those who ask. */
  readonly #checks = new Map<string, Observable<never>>();
  /** The last failed probe of each endpoint, and what it failed with. */
  readonly #failures = new Map<string, { readonly attempt: Attempt; readonly error: unknown }>();

  /**
   * @param learnt called when the table has learnt, with whether other members may say something else by now
   * @param mayWait a probe may wait for a connection unseen
   */
  constructor(probe: Probe, table: EndpointTable, learnt: (isNews: boolean) => void, mayWait = false) {
    this.#mayWait = mayWait;
    this.#probe = probe;
    this.#table = table;
    this.#learnt = learnt;
  }

  /** The last failed probe of each endpoint that does not answer. */
  get failures(): readonly Attempt[] {
    return Array.from(this.#failures.values(), ({ attempt }) => attempt);
  }

  /** Why the last probe of an endpoint brought nothing that anybody can use, if that is so. */
  unusable(url: string): UnusableError | undefined {
    const { error } = this.#failures.get(url) ?? {};
    return error instanceof UnusableError ? error : undefined;
  }

  /**
   * Asks the endpoint whether it still answers; never emits. Shared: of a thousand calls that wait for the same member
   * not each may ask.
   */
  check$(url: string): Observable<never> {
    const known = this.#checks.get(url);
    if (known !== undefined) return known;
    // A call may still be waiting for an endpoint that is none any more.
    if (this.#table.endpoint(url) === undefined) return EMPTY;
    const check$ = this.probe$(url, false).pipe(
      share<never>({ resetOnComplete: () => timer(checkOnceMs, unrefScheduler) }),
    );
    this.#checks.set(url, check$);
    return check$;
  }

  /** The endpoint is none any more. */
  forget(url: string): void {
    this.#checks.delete(url);
    this.#failures.delete(url);
  }

  /** Probes one endpoint; completes without a value, whatever came. */
  probe$(url: string, full: boolean): Observable<never> {
    return defer(() => {
      const sentAt = instant();
      const endpoint = this.#table.endpoint(url);
      // Whoever waited for an endpoint that is none any more waited in vain.
      if (endpoint === undefined) return EMPTY;
      // Whoever comes back may have become somebody else.
      const unsure = endpoint.id === undefined || endpoint.down || !this.#table.mayBeAsked(endpoint);
      const answer$ = this.#probe(url, full).pipe(
        last(),
        switchMap((answer) => {
          // Who cannot name its leader may be anything, but for one that only withholds it.
          const isMute = answer.leader === undefined && answer.hasQuorum === undefined;
          const isEnough = full || !(unsure || isMute);
          return isEnough ? of(answer) : this.#probe(url, true);
        }),
        // The other side may have ended an idle connection just when the probe went out on it: that says nothing.
        retry({
          count: resets,
          delay: (error: unknown) => {
            if (isReset(error)) return of(0);
            throw error;
          },
        }),
      );
      return answer$.pipe(
        map((answer) => {
          this.#failures.delete(url);
          return this.#table.probed(url, sentAt, answer);
        }),
        catchError((error: unknown) => {
          this.#failed(url, sentAt, error);
          return of(false);
        }),
        tap((isNews) => {
          this.#learnt(isNews);
        }),
        ignoreElements(),
      );
    });
  }

  #failed(url: string, sentAt: number, error: unknown): void {
    if (this.#table.endpoint(url) === undefined) return;
    const now = instant();
    const durationMs = now - sentAt;
    const why = error instanceof Error ? error.message : String(error);
    const attempt = defined({
      endpoint: url,
      error: `probe: ${why}`,
      status: error instanceof Fault ? error.config.status : undefined,
      at: new Date(Date.now() - durationMs),
      durationMs,
    });
    this.#failures.set(url, { attempt, error });
    const kind = error instanceof TransportError ? error.kind : undefined;
    // What this program's own options or interceptors do to it says nothing of whoever is there.
    if (error instanceof UnusableError && error.lasting) this.#table.unjudged(url);
    else if (kind === 'timeout' && this.#mayWait) this.#table.unanswered(url, sentAt, now);
    else this.#table.failed(url, now, true, kind === 'tls' ? why : undefined);
  }
}
