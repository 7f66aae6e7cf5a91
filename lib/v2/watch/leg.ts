import {
  concatMap,
  connect,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  interval,
  map,
  merge,
  mergeWith,
  of,
  retry,
  startWith,
  switchMap,
  take,
  takeWhile,
  tap,
  throttleTime,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { backoff } from '../../cluster/backoff.js';
import type { V2Context } from '../context.js';
import type { ChangeEvent, ResponseInfo } from '../model.js';
import { isLegacy, isSilentWatcher } from '../server-release.js';
import { withKey } from '../with-key.js';
import type { Cursor } from './cursor.js';
import { HistoryLost, MemberLeft } from './history-lost.js';
import { legacyRearm, legacyStart$ } from './legacy-start.js';
import type { LegItem, LegStart } from './leg-item.js';
import { matches } from './matches.js';
import type { Pace } from './pace.js';
import { poll$, type PollPart } from './poll.js';
import { readIndex$, type StoreIndex } from './read-index.js';
import { readState$ } from './read-state.js';
import { stateEvent } from './state-event.js';
import { switchOnFirst } from './switch-on-first.js';
import type { Target } from './target.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends V2Context {
  /** The store's index from time to time. */
  readonly pulse$: Observable<StoreIndex>;
  readonly pace: Pace;
  /** Numbers the client's watches. */
  readonly nextId: () => number;
}

/** An idle leg is armed anew once the store is this far ahead of its cursor. */
const rearmLag = 250;
/** And at most once in this time, ms. */
const rearmGap = 1_000;

type Registered = Extract<PollPart, { type: 'registered' }>;

/**
 * One leg of a watch: a long poll at one member from the cursor to the next event. While it idles and the store moves
 * on, it is armed anew, so that the cursor stays within etcd's history. Ends in `chain`, or in an error that is for
 * `retry` to answer.
 *
 * A leg that starts by reading the state opens its poll first, without an index, and then reads on the same member:
 * nothing can fall between the two, and nothing is asked of a history that may be gone again.
 */
export function leg$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  start: LegStart,
): Observable<LegItem> {
  const version = context.cluster.version(endpoint);
  const silent = isSilentWatcher(version);
  if (isLegacy(version) && (start !== 'cursor' || cursor.next === undefined))
    return legacyStart$(context, target, endpoint, cursor, start);

  const arm$ = (first: boolean): Observable<PollPart> =>
    defer(() => poll$(context, target, endpoint, first && start !== 'cursor' ? undefined : cursor.next));

  let arriving = false;
  const isDue = (): boolean =>
    !silent &&
    !arriving &&
    cursor.lost === undefined &&
    cursor.next !== undefined &&
    context.watermark.value > cursor.next + rearmLag;
  const rearm$ = context.pulse$.pipe(
    tap((pulse) => {
      if (pulse.answered) cursor.witness(pulse.endpoint, pulse.sentAt);
      else if (pulse.endpoint === endpoint) cursor.doubt();
    }),
    filter(isDue),
    throttleTime(rearmGap),
    // One turn at a time; when it comes, it may no longer be needed.
    exhaustMap(() => timer(context.pace.delay())),
    filter(isDue),
    mergeWith(isLegacy(version) && !silent ? interval(legacyRearm) : EMPTY),
  );
  const items$ = rearm$.pipe(
    map(() => arm$(false)),
    startWith(arm$(true)),
    switchOnFirst(),
    connect((parts$) =>
      merge(
        // In order: an event that comes while the state is read waits for it.
        parts$.pipe(
          concatMap((part, i): Observable<LegItem> => {
            if (part.type === 'arriving') {
              // The poll is not silent: nothing is proven, and nothing may take its place.
              arriving = true;
              cursor.doubt();
              return EMPTY;
            }
            if (part.type === 'event') return eventItems$(context, target, cursor, start, part);
            if (i > 0) return rearmed$(cursor, endpoint, part);
            return registered$(context, target, cursor, start, part);
          }),
        ),
        // Beside it: no event waits for a quorum.
        parts$.pipe(
          take(1),
          filter((part) => part.type === 'registered'),
          switchMap(({ info }) => (start === 'cursor' ? rebuilt$(context, target, cursor, info) : EMPTY)),
        ),
      ),
    ),
  );
  const leave$ = context.cluster
    .leave$(endpoint)
    .pipe(switchMap((reason) => throwError(() => new MemberLeft(reason))));
  // Without headers nobody can tell better when it stands.
  const standing$ = silent ? of<LegItem>({ type: 'live', endpoint }) : EMPTY;
  return merge(standing$, items$, leave$).pipe(takeWhile((item) => item.type !== 'chain', true));
}

/** The first poll stands: the start is fixed, the state read, and the member checked for being the same cluster's. */
function registered$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  start: LegStart,
  { info }: Registered,
): Observable<LegItem> {
  const { endpoint, clusterId, etcdIndex } = info;
  const live: LegItem = { type: 'live', endpoint };
  if (
    cursor.clusterId !== undefined &&
    clusterId !== undefined &&
    clusterId !== cursor.clusterId &&
    start === 'cursor'
  ) {
    return throwError(() => new HistoryLost('the cluster is another one'));
  }
  if (clusterId !== undefined) cursor.clusterId = clusterId;
  if (start !== 'cursor') {
    return readState$(context, target, endpoint, etcdIndex === undefined).pipe(
      map((state): LegItem => {
        const event = stateEvent(cursor, start, state);
        cursor.arriveAt(state.index);
        return { type: 'event', event };
      }),
      startWith(live),
    );
  }
  if (etcdIndex !== undefined) {
    cursor.start(etcdIndex);
    cursor.claim(endpoint, etcdIndex, performance.now());
    return of(live);
  }
  if (cursor.next !== undefined) return of(live);
  // Without readable headers the start is asked for, and the poll made again from there.
  return readIndex$(context, endpoint, target.key).pipe(
    tap(({ index }) => {
      cursor.start(index);
    }),
    map((): LegItem => ({ type: 'chain' })),
  );
}

/** A newer poll has taken over, from the same cursor and with later headers. */
function rearmed$(cursor: Cursor, endpoint: string, { info, sentAt }: Registered): Observable<never> {
  cursor.witness(endpoint, sentAt);
  if (info.etcdIndex !== undefined) cursor.claim(endpoint, info.etcdIndex, performance.now());
  return EMPTY;
}

/**
 * Errors with HistoryLost when the cluster was rebuilt under the same name. A store below the cursor belongs to such a
 * cluster or to a member that lags; only a quorum read tells the two apart.
 */
function rebuilt$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  { endpoint, etcdIndex = 0 }: ResponseInfo,
): Observable<never> {
  // Before 2.0 no read asks a quorum.
  if (isLegacy(context.cluster.version(endpoint))) return EMPTY;
  if (cursor.next === undefined || etcdIndex === 0 || etcdIndex >= cursor.next - 1) return EMPTY;
  const seen = Math.max(context.watermark.value, cursor.next - 1);
  return readIndex$(context, endpoint, target.key, true).pipe(
    tap(({ index }) => {
      if (index === 0) throw new TypeError('no index without a quorum');
    }),
    // Rebuilt and without a quorum yet: asked until there is one, or the leg ends.
    retry({ delay: (_, n) => timer(backoff(n - 1, context.settings.retry)) }),
    filter(({ index }) => index < seen),
    switchMap(({ index }) => {
      context.watermark.restart(index);
      return throwError(() => new HistoryLost('the cluster was rebuilt'));
    }),
  );
}

function eventItems$(
  { watermark }: LegContext,
  { key, recursive }: Target,
  cursor: Cursor,
  start: LegStart,
  { body, info }: Extract<PollPart, { type: 'event' }>,
): Observable<LegItem> {
  const node = withKey(body.node ?? { key });
  const index = node.modifiedIndex ?? 0;
  watermark.saw(index);
  const isNew = cursor.isNew(index);
  if (isNew) cursor.arriveAt(index);
  const chain: LegItem = { type: 'chain' };
  // Below what was asked for: a cache answers in etcd's place.
  if (!isNew && start === 'cursor') return throwError(() => new MemberLeft('it answered with an old event'));
  if (!isNew || !matches(key, recursive, body.action, node)) return of(chain);
  const action = body.action as ChangeEvent['action'];
  const prevNode = body.prevNode === undefined ? {} : { prevNode: body.prevNode };
  return of<LegItem[]>({ type: 'event', event: { action, node, ...prevNode, index, info } }, chain);
}
