import { defer, EMPTY, endWith, of, repeat, takeUntil, takeWhile, type Observable } from 'rxjs';
import { canStream, isLegacy } from '../old/server-release.js';
import { blindStart$ } from './blind-start.js';
import { MemberLeft } from './member-left.js';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import type { Place } from './place.js';
import { pollLeg$ } from './poll-leg.js';
import { isScarce } from './scarce.js';
import { streamLeg$ } from './stream-leg.js';
import type { Target } from './target.js';

/**
 * One leg of a watch: at one member, from the cursor on. A live stream where streams can be trusted and headers can be
 * read, else a long poll; where connections are scarce, polls take turns. Ends in `chain`, in an error that is for
 * `retry` to answer, or without a word when the client is closed.
 */
export function leg$(
  context: LegContext,
  target: Target,
  endpoint: string,
  place: Place,
  start: LegStart,
): Observable<LegItem> {
  const leave$ = context.cluster.leave$(endpoint, (reason) => new MemberLeft(reason));
  return begun$(context, target, endpoint, place, start).pipe(
    takeWhile((item) => item.type !== 'chain', true),
    takeUntil(leave$),
  );
}

function begun$(
  context: LegContext,
  target: Target,
  endpoint: string,
  place: Place,
  start: LegStart,
): Observable<LegItem> {
  const { cluster, transport, blind, slots } = context;
  const { cursor } = place;
  const version = cluster.version(endpoint);
  const isBlind = isLegacy(version) || blind.has(endpoint);
  // Polls may tell nothing before their event.
  const isMute = isLegacy(version) || !transport.streams;
  if (start === 'cursor' && cursor.next === undefined && (isMute || isBlind))
    return blindStart$(context, target, endpoint, cursor, start);
  if (transport.streams && canStream(version) && !isBlind)
    return streamLeg$(context, target, endpoint, place, start);
  const leg$ = (from: LegStart): Observable<LegItem> =>
    from === 'resync' && isMute
      ? blindStart$(context, target, endpoint, cursor, from)
      : pollLeg$(context, target, endpoint, cursor, from);
  if (!isScarce(context, endpoint)) return leg$(start);
  // One after the other while the slot is its own: a backlog of many events shall not cost as many turns.
  let from = start;
  const legs$ = defer(() => leg$(from)).pipe(
    takeWhile((item) => item.type !== 'chain'),
    repeat({
      delay: () => {
        from = 'cursor';
        return cursor.next === undefined ? EMPTY : of(undefined);
      },
    }),
    endWith<LegItem>({ type: 'chain' }),
  );
  return slots.take$(endpoint, legs$);
}
