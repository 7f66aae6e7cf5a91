import { EMPTY, map, NEVER, of, Subject, takeUntil, type Observable } from 'rxjs';
import { EventBus, type ClientEvent } from '../../../lib/insight/events.js';
import { resolveOptions } from '../../../lib/options.js';
import type { LossReason } from '../../../lib/errors.js';
import type { Batch, LegItem } from '../../../lib/watch/leg-item.js';
import type { Position } from '../../../lib/watch/position.js';
import type { WatchContext } from '../../../lib/watch/watch-context.js';
import type { InitialState, Site, Verdict, WatchProtocol } from '../../../lib/watch/watch-protocol.js';

/** A position that does as it is told. */
export class FakePosition implements Position {
  next: number | undefined;
  epoch = 0;
  lost: LossReason | undefined;

  constructor(from?: number) {
    this.next = from;
  }

  lose(reason: LossReason): void {
    this.lost = reason;
  }

  moveTo({ next, epoch, state }: Batch<unknown>): void {
    this.next = next;
    this.epoch = epoch ?? this.epoch;
    if (state !== undefined) this.lost = undefined;
  }
}

/** Changes that belong together, up to a revision; each is told as `revision.n`. */
export const batch = (revision: number, size = 1): Batch<string> => ({
  type: 'events',
  events: Array.from({ length: size }, (_, n) => `${String(revision)}.${String(n)}`),
  next: revision + 1,
});

/** A protocol whose legs and states a spec makes. By default a leg stands and nothing happens. */
export class FakeProtocol implements WatchProtocol<string, FakePosition> {
  /** Where legs ran, in order. */
  readonly sites: Site<FakePosition>[] = [];
  readonly positions: FakePosition[] = [];
  onLeg: (site: Site<FakePosition>) => Observable<LegItem<string>> = () => NEVER;
  onState: (site: Site<FakePosition>, again: boolean) => Observable<InitialState<string>> = () => EMPTY;
  onError: (error: unknown) => Verdict = () => 'again';

  position(from: number | undefined): FakePosition {
    const position = new FakePosition(from);
    this.positions.push(position);
    return position;
  }

  leg$(site: Site<FakePosition>): Observable<LegItem<string>> {
    this.sites.push(site);
    return this.onLeg(site);
  }

  state$(site: Site<FakePosition>, again: boolean): Observable<InitialState<string>> {
    return this.onState(site, again);
  }

  verdict(error: unknown): Verdict {
    return this.onError(error);
  }
}

/** A cluster that sends watches where a spec says, and what `events$` tells of them. */
export function fakeWatchContext() {
  const told: ClientEvent[] = [];
  const events = new EventBus();
  events.events$.subscribe((event) => told.push(event));
  const closing$ = new Subject<void>();
  const leave$ = new Subject<string>();
  const cluster = {
    endpoint: 'http://a',
    entered: 0,
    closing$,
    watchEndpoint$: (): Observable<string> => of(cluster.endpoint),
    leave$: (_: string, toError: (reason: string) => Error): Observable<never> =>
      leave$.pipe(
        map((reason) => {
          throw toError(reason);
        }),
        takeUntil(closing$),
      ),
    enter: () => {
      cluster.entered += 1;
      return () => (cluster.entered -= 1);
    },
    dropped: jest.fn(),
    knows: () => false,
    view: {},
  };
  const settings = resolveOptions({ retry: { initialDelay: 100, maxDelay: 1_000 } });
  const context = { settings, events, cluster } as unknown as WatchContext;
  return { context, cluster, told, closing$, leave$ };
}
