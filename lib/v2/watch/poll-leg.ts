import {
  concatMap,
  defer,
  EMPTY,
  filter,
  interval,
  map,
  merge,
  mergeWith,
  of,
  startWith,
  switchAll,
  throwError,
  type Observable,
} from 'rxjs';
import { isLegacy, isSilentWatcher } from '../old/server-release.js';
import { claims } from './claims.js';
import type { Cursor } from './cursor.js';
import { deliver } from './deliver.js';
import { rearm$, lag } from './rearm.js';
import { headless$ } from './headless.js';
import { MemberLeft } from './member-left.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import { poll$, type PollPart } from './poll.js';
import { maySkip } from './may-skip.js';
import { isScarce } from './scarce.js';
import { stand$ } from './stand.js';
import { switchOnFirst } from './switch-on-first.js';
import type { Target } from './target.js';

/**
 * etcd 0.4 cuts off whatever takes 300 s, without a word: an idle poll is made anew before. So is one that has shown no
 * headers: its connection may be dead, and nothing else would tell, ms.
 */
const unseenRearm = 240_000;

type Registered = Extract<PollPart, { type: 'registered' }>;

/**
 * A leg that is one long poll, from the cursor to the next event. While it idles and the store moves on, it is armed
 * anew, so that the cursor stays within etcd's history.
 *
 * If it starts by reading the state it opens its poll first, without an index, and then reads on the same member:
 * nothing can fall between the two, and nothing is asked of a history that may be gone again.
 *
 * A browser may keep an answer's headers back until its body begins: a poll without any may stand all the same.
 */
export function pollLeg$(
  context: LegContext,
  target: Target,
  endpoint: string,
  cursor: Cursor,
  start: LegStart,
): Observable<LegItem> {
  const version = context.cluster.version(endpoint);
  const silent = isSilentWatcher(version);
  const arm$ = (first: boolean): Observable<PollPart> =>
    defer(() => poll$(context, target, endpoint, first && start !== 'cursor' ? undefined : cursor.next));

  let headless = !context.transport.streams;
  let arriving = false;
  const scarce = isScarce(context, endpoint);
  const stays = (): boolean => silent || arriving || (headless && isFar(context, cursor));
  const unseen = (): boolean => !silent && (isLegacy(version) || headless);
  const again$ = rearm$(context, endpoint, cursor, stays).pipe(
    mergeWith(unseen() ? interval(unseenRearm).pipe(filter(unseen)) : EMPTY),
  );
  // Where connections are scarce the old poll goes before the new one comes: it claims nothing that could be lost.
  const replace = scarce ? switchAll<Observable<PollPart>>() : switchOnFirst<PollPart>();
  const items$ = again$.pipe(
    map(() => arm$(false)),
    startWith(arm$(true)),
    replace,
    // In order: an event that comes while the state is read waits for it.
    concatMap((part, i): Observable<LegItem> => {
      if (part.type === 'arriving') {
        // The poll is not silent: nothing is proven, and nothing may take its place.
        arriving = true;
        cursor.doubt();
        return EMPTY;
      }
      if (part.type === 'event') return arrived$(context, target, cursor, start, part);
      headless = false;
      if (i > 0) {
        // A newer poll has taken over, from the same cursor and with later headers.
        claims(cursor, endpoint)(part);
        return EMPTY;
      }
      return stand$(context, target, cursor, start, part.info, () => registered$(context, cursor, part));
    }),
  );
  // Nobody can tell better when it stands.
  if (silent) return merge(of<LegItem>({ type: 'live', endpoint }), items$);
  return scarce
    ? merge(
        headless$(context, target, endpoint, cursor, () =>
          headless ? 'none' : arriving ? 'body' : 'headers',
        ),
        items$,
      )
    : items$;
}

/** A poll that showed no headers proves nothing: another from the same place may ask for what is history no more. */
const isFar = ({ watermark }: LegContext, { next = 0 }: Cursor): boolean => watermark.value - next > lag;

/** The first poll stands: the start is fixed. */
function registered$(
  context: LegContext,
  cursor: Cursor,
  { info: { endpoint, etcdIndex }, sentAt }: Registered,
): Observable<LegItem> {
  const live: LegItem = { type: 'live', endpoint };
  if (etcdIndex !== undefined) {
    cursor.start(etcdIndex);
    cursor.claim(endpoint, etcdIndex, performance.now());
    return of(live);
  }
  // Without readable headers the start is asked for, and the poll made again from there.
  context.blind.add(endpoint);
  const told = cursor.toldBefore(endpoint, sentAt);
  if (told !== undefined) cursor.claim(endpoint, told, performance.now());
  return of(cursor.next === undefined ? { type: 'chain' } : live);
}

function arrived$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  start: LegStart,
  part: Extract<PollPart, { type: 'event' }>,
): Observable<LegItem> {
  const chain: LegItem = { type: 'chain' };
  if (maySkip(context, cursor, part)) return of(chain);
  const delivery = deliver(context, target, cursor, part);
  // Below what was asked for: a cache answers in etcd's place.
  if (delivery === 'old' && start === 'cursor')
    return throwError(() => new MemberLeft('it answered with an old event'));
  return typeof delivery === 'string' ? of(chain) : of<LegItem[]>({ type: 'event', event: delivery }, chain);
}
