import {
  concatMap,
  EMPTY,
  filter,
  interval,
  map,
  merge,
  mergeWith,
  of,
  startWith,
  takeWhile,
  throwError,
  type Observable,
} from 'rxjs';
import { progress } from '../../watch/leg-item.js';
import { MemberLeft } from '../../watch/member-left.js';
import { isLegacy, isSilentWatcher } from '../old/server-release.js';
import { deliver } from './deliver.js';
import { rearm$, lag } from './rearm.js';
import { headless$ } from './headless.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { overdue$ } from './overdue.js';
import type { Found, PollPart } from './poll.js';
import { maySkip } from './may-skip.js';
import { isScarce } from './scarce.js';
import { stand$ } from './stand.js';
import { passed$, successivePolls$, type Ask } from './successive-polls.js';
import { bodyPauseMs, unseenRearmMs } from './timing.js';

type Registered = Extract<PollPart, { type: 'registered' }>;

/**
 * A leg that is one long poll, from the position to the next event. While it idles and the store moves on, it is armed
 * anew: its connection may be dead, and the position has to stay within etcd's history.
 *
 * If it starts by reading the state it opens its poll first, without an index, and then reads on the same member:
 * nothing can fall between the two, and nothing is asked of a history that may be gone again.
 *
 * A browser may keep an answer's headers back until its body begins: a poll without any may stand all the same.
 */
export function pollLeg$(site: LegSite): Observable<V2LegItem> {
  const { context, endpoint, position, start } = site;
  const version = context.cluster.version(endpoint);
  const silent = isSilentWatcher(version);

  const { headers } = context;
  let headless = headers.mayBeHeldBack(endpoint);
  let stands = false;
  /** When a part of an event came last. */
  let arrivedAt: number | undefined;
  const scarce = isScarce(context, endpoint);
  const isArriving = (): boolean => arrivedAt !== undefined && performance.now() - arrivedAt < bodyPauseMs;
  const stays = (): boolean => silent || isArriving() || (headless && isFar(site));
  const unseen = (): boolean => !silent && (isLegacy(version) || headless);
  const again$ = rearm$(site, stays).pipe(
    mergeWith(unseen() ? interval(unseenRearmMs).pipe(filter(unseen)) : EMPTY),
  );
  const ask$ = again$.pipe(
    map((): Ask => 'position'),
    startWith<Ask>({ from: start === 'state' ? undefined : position.next }),
  );
  const items$ = successivePolls$(site, ask$).pipe(
    // In order: an event that comes while the state is read waits for it.
    concatMap((part): Observable<V2LegItem> => {
      switch (part.type) {
        case 'arriving':
          // Nothing may take the place of what is on its way.
          arrivedAt = performance.now();
          return EMPTY;
        case 'event':
          return arrived$(site, part);
        case 'passed':
          return passed$(site, part);
        case 'registered':
          headless = false;
          // A newer poll has taken over.
          if (stands) return EMPTY;
          stands = true;
          return stand$(site, part.info, () => registered$(site, part));
      }
    }),
  );
  // Nobody can tell better when it stands.
  if (silent) return merge(of<V2LegItem>({ type: 'live', endpoint }), items$);
  const seen = () => (headless ? 'none' : arrivedAt === undefined ? 'headers' : 'body');
  return merge(
    headless || scarce ? headless$(site, seen) : EMPTY,
    headless ? EMPTY : overdue$(site, () => stands),
    items$,
  ).pipe(takeWhile(({ type }) => type !== 'end', true));
}

/** A poll that showed no headers proves nothing: another from the same place may ask for what is history no more. */
const isFar = ({ context: { watermark }, position: { next = 0 } }: LegSite): boolean =>
  watermark.value - next > lag;

/** The first poll stands: the start is fixed. */
function registered$(
  { context, position: { next } }: LegSite,
  { info: { endpoint, etcdIndex } }: Registered,
): Observable<V2LegItem> {
  const live: V2LegItem = { type: 'live', endpoint };
  if (etcdIndex !== undefined) return next === undefined ? of(progress(etcdIndex + 1), live) : of(live);
  // Without readable headers the start is asked for, and the poll made again from there.
  context.headers.hides(endpoint);
  return of(next === undefined ? { type: 'end' } : live);
}

function arrived$(site: LegSite, part: Found): Observable<V2LegItem> {
  const end: V2LegItem = { type: 'end' };
  if (maySkip(site, part)) return of(end);
  const delivery = deliver(site, part);
  if (delivery !== 'old') return of(delivery, end);
  // Below what was asked for: a cache answers in etcd's place.
  return site.start === 'position'
    ? throwError(() => new MemberLeft('it answered with an old event'))
    : of(end);
}
