import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  first,
  ignoreElements,
  map,
  merge,
  of,
  repeat,
  retry,
  switchMap,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { backoff } from '../../util/backoff.js';
import { isLegacy } from '../old/server-release.js';
import { isBelow, type Mark, type Told } from '../watermark.js';
import { stateTooOld } from '../../watch/member-left.js';
import { historyLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { poll$ } from './poll.js';
import { readIndex$ } from './read-index.js';
import { lookAgainMs } from './timing.js';

/** What an answer says of the store, if it is below what was seen; undefined if it is the same store, for all that is known. */
type Finding = Told | undefined;

/**
 * Errors with HistoryLost when the cluster was rebuilt under the same name. A store below the position, or below anything
 * that the client has seen before the leg began, belongs to such a cluster or to a member that lags; only a quorum read
 * tells the two apart.
 */
export function rebuilt$(site: LegSite, told: Told): Observable<never> {
  const { context, endpoint, position } = site;
  const { watermark, cluster } = context;
  // Before 2.0 no read asks a quorum.
  if (isLegacy(cluster.version(endpoint)) || position.next === undefined) return EMPTY;
  if (!isBelow(told, barOf(site, site.mark))) return EMPTY;
  return defer(() => {
    const mark = watermark.mark;
    return merge(ofQuorum$(site, told, barOf(site, mark)), caughtUp$(site, told, mark)).pipe(
      first(),
      map((finding) => {
        if (finding === undefined) return;
        watermark.restart(mark, finding);
        throw historyLost('rebuilt');
      }),
      ignoreElements(),
    );
  });
}

/**
 * A state that was read is below the position. Errors: HistoryLost when it is that of a store that began anew; MemberLeft when
 * it is that of a member that lags.
 */
export const older$ = (site: LegSite, etcdIndex: number): Observable<never> =>
  concat(
    rebuilt$(site, { etcdIndex }),
    throwError(() => stateTooOld()),
  );

/** What a store must not be below: the mark, if the epoch is still the same, and the position. */
function barOf({ context: { watermark }, position: { next = 1 } }: LegSite, mark: Mark): Mark {
  const seen = mark.epoch === watermark.epoch ? mark : { ...mark, etcdIndex: 0, raftIndex: 0, raftTerm: 0 };
  return next - 1 > seen.etcdIndex ? { ...seen, etcdIndex: next - 1 } : seen;
}

/**
 * A quorum's word. Its answer, "not found", has no raft index; but what the same member says afterwards is above all that
 * was ever seen of this store.
 */
function ofQuorum$(site: LegSite, told: Told, bar: Mark): Observable<Finding> {
  const { context, endpoint, target } = site;
  return readIndex$(context, endpoint, target.key, true).pipe(
    tap(({ index }) => {
      if (index === 0) throw new TypeError('no index without a quorum');
    }),
    switchMap(({ index: etcdIndex }): Observable<Told> => {
      const isEnough = etcdIndex < bar.etcdIndex || !isBelow({ ...told, etcdIndex }, bar);
      return isEnough ? of({ etcdIndex }) : head$(site);
    }),
    map((answer) => (isBelow(answer, bar) ? answer : undefined)),
    // Rebuilt and without a quorum yet: asked until there is one, or the leg ends.
    retry({ delay: (_, n) => timer(backoff(n - 1, context.settings.retry)) }),
  );
}

/** Emits once the member is no longer below the mark: it lagged, as during an election, when no quorum can be asked. */
function caughtUp$(site: LegSite, { raftIndex }: Told, mark: Mark): Observable<Finding> {
  const { context, endpoint, target } = site;
  const { retry: delays } = context.settings;
  const index$ = readIndex$(context, endpoint, target.key).pipe(
    map(({ index }): Told => ({ etcdIndex: index })),
  );
  const look$ = (raftIndex === undefined ? index$ : head$(site)).pipe(catchError(() => EMPTY));
  return timer(lookAgainMs).pipe(
    switchMap(() => look$.pipe(repeat({ delay: (n) => timer(backoff(n, delays)) }))),
    filter((answer) => (answer.etcdIndex ?? 0) > 0 && !isBelow(answer, barOf(site, mark))),
    map(() => undefined),
  );
}

/** What a member says of its store in the headers of a poll, which come at once. */
const head$ = (site: LegSite): Observable<Told> =>
  poll$(site, undefined).pipe(
    first((part) => part.type === 'registered'),
    map(({ info }) => info),
  );
