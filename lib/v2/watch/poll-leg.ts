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
  switchAll,
  takeWhile,
  throwError,
  type Observable,
} from 'rxjs';
import { progress } from '../../watch/leg-item.js';
import { MemberLeft } from '../../watch/member-left.js';
import { isLegacy, isSilentWatcher } from '../old/server-release.js';
import { deliver } from './deliver.js';
import { lag, Rearm } from './rearm.js';
import { headless$ } from './headless.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { Overdue } from '#platform/v2/watch/overdue.js';
import { isFound, type Found, type PollPart } from './poll-part.js';
import { poll$ } from './poll.js';
import { maySkip } from './may-skip.js';
import { goesFirst, isScarce } from './scarce.js';
import { stand$ } from './stand.js';
import { switchOnFirst } from './switch-on-first.js';
import { unseenRearmMs } from './timing.js';

type Registered = Extract<PollPart, { type: 'registered' }>;
type Arriving = Extract<PollPart, { type: 'arriving' }>;

/**
 * A leg that is one long poll, from the position to the next event. While it idles and the store moves on, it is armed
 * anew, so that the position stays within etcd's history.
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
  const overdue = new Overdue(site);
  let body: Arriving | undefined;
  /** Another poll asks for what stopped on its way; whichever is through with it first tells it. */
  let races = false;
  const scarce = isScarce(context, endpoint);
  const relieves = goesFirst(context, endpoint);
  const isComing = (): boolean => body !== undefined && (races || !body.pause.isLong);
  const stays = (): boolean => silent || isComing() || (headless && isFar(site));
  const unseen = (): boolean => !silent && (isLegacy(version) || headless);
  const rearm = new Rearm(site, { busy: stays });
  const again$ = rearm.asks$.pipe(
    mergeWith(
      unseen()
        ? interval(unseenRearmMs).pipe(
            filter(unseen),
            map(() => position.next),
          )
        : EMPTY,
    ),
  );
  let from = start === 'state' ? undefined : position.next;
  const again = (next: number | undefined): Observable<PollPart> => {
    if (relieves) body = undefined;
    races = body !== undefined;
    return poll$(site, (from = next));
  };
  const replace = relieves
    ? switchAll<Observable<PollPart>>()
    : switchOnFirst<PollPart>((part) => body === undefined || isFound(part));
  const items$ = again$.pipe(
    map(again),
    startWith(poll$(site, from)),
    replace,
    // In order: an event that comes while the state is read waits for it.
    concatMap((part, i): Observable<V2LegItem> => {
      rearm.saw(part, from);
      if (part.type === 'arriving') {
        // None that is silent may take its place.
        body = part;
        return EMPTY;
      }
      if (part.type === 'event') return arrived$(site, part);
      headless = false;
      overdue.begun();
      // A newer poll has taken over.
      if (i > 0) return EMPTY;
      return stand$(site, part.info, () => registered$(site, part));
    }),
  );
  const seen = () => (headless ? 'none' : body === undefined ? 'headers' : 'body');
  // Nobody can tell better when it stands.
  if (silent) return merge(of<V2LegItem>({ type: 'live', endpoint }), items$);
  return merge(
    headless || scarce ? headless$(site, seen) : EMPTY,
    headless ? EMPTY : overdue.end$(),
    items$,
  ).pipe(takeWhile(({ type }) => type !== 'end', true));
}

/** Of a poll that showed no headers nobody knows whether it stands: another from the same place may ask for what is history no more. */
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
