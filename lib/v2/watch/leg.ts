import { defer, EMPTY, endWith, of, repeat, takeWhile, type Observable } from 'rxjs';
import { canStream } from '../old/server-release.js';
import { blindStart$ } from './blind-start.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { pollLeg$ } from './poll-leg.js';
import { isScarce } from './scarce.js';
import { streamLeg$ } from '#platform/v2/watch/stream-leg.js';

/**
 * One leg of a watch: at one member, from the position on. A live stream where streams can be trusted and headers can be
 * read, else a long poll; where connections are scarce, polls take turns.
 */
export function leg$(site: LegSite): Observable<V2LegItem> {
  const { context, endpoint, position, start } = site;
  const { cluster, headers, slots } = context;
  const tellStart = headers.tellStart(endpoint);
  const isMute = !headers.precedeEvents(endpoint);
  if (start === 'position' && position.next === undefined && (isMute || !tellStart)) return blindStart$(site);
  const streams = headers.letStreams(endpoint) && canStream(cluster.version(endpoint)) && tellStart;
  if (streams && !(start === 'state' && isMute)) return streamLeg$(site);
  const one$ = (from: LegSite): Observable<V2LegItem> =>
    from.start === 'state' && isMute ? blindStart$(from) : pollLeg$(from);
  if (!isScarce(context, endpoint)) return one$(site);
  // One after the other while the slot is its own: a backlog of many events shall not cost as many turns.
  let from = site;
  const legs$ = defer(() => one$(from)).pipe(
    takeWhile((item) => item.type !== 'end'),
    repeat({
      delay: () => {
        from = { ...site, start: 'position' };
        return position.next === undefined ? EMPTY : of(undefined);
      },
    }),
    endWith<V2LegItem>({ type: 'end' }),
  );
  return slots.take$(endpoint, legs$);
}
