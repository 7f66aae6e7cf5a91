import { concat, defer, map, of, switchMap, throwError, type Observable } from 'rxjs';
import type { LostEvents } from '../../errors.js';
import type { EtcdNode } from '../model/model.js';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import type { LegItem } from './leg-item.js';
import { MemberLeft } from './member-left.js';
import { readState$, type State } from './read-state.js';
import { rebuilt$ } from './rebuilt.js';
import type { Target } from './target.js';

/**
 * Reads the state of a target at one member in place of what is lost, and moves the cursor to it. A state below the cursor
 * is that of a store that began anew, which is found out first, or of a member that lags, which is asked again.
 */
export function resync$(
  context: LegContext,
  target: Target,
  cursor: Cursor,
  endpoint: string,
): Observable<LegItem> {
  return readState$(context, target, endpoint).pipe(
    switchMap((state) => {
      if (!isBelow(cursor, state)) return of(state);
      const rest$ = defer(() => throwError(() => new MemberLeft('its state is older than what was seen')));
      return concat(rebuilt$(context, target, cursor, { endpoint, etcdIndex: state.index }), rest$);
    }),
    map((state) => resync(cursor, state)),
  );
}

/** Whether a state that should be of the same store stands below what was seen of it. */
const isBelow = (cursor: Cursor, { index, info }: State): boolean =>
  cursor.lost === 'cleared' && !cursor.isOfAnother(info.clusterId) && index < (cursor.next ?? 1) - 1;

/** Moves the cursor to a state that was read afresh; the event that carries it in place of what was lost. */
function resync(cursor: Cursor, { node, index, info }: State): LegItem {
  const from = cursor.next ?? index;
  const reason = cursor.isOfAnother(info.clusterId) ? 'another-cluster' : (cursor.lost ?? 'cleared');
  const lost: LostEvents =
    reason === 'cleared' ? { reason, from, to: Math.max(from, index) } : { reason, from };
  cursor.resyncAt(index, reason, info.clusterId);
  cursor.keysWithTtl = countKeysWithTtl(node);
  return { type: 'event', event: { action: 'resync', node, index, lost, info } };
}

/** The keys of a state that have a TTL. */
export function countKeysWithTtl({ expiration, nodes = [] }: EtcdNode): number {
  return nodes.reduce((sum, node) => sum + countKeysWithTtl(node), expiration === undefined ? 0 : 1);
}
