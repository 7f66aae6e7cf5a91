import { map, of, switchMap, type Observable } from 'rxjs';
import type { LostEvents } from '../../errors.js';
import type { EtcdNode } from '../model/model.js';
import type { Cursor } from './cursor.js';
import type { LegSite, V2LegItem } from './leg-site.js';
import { readState$, type State } from './read-state.js';
import { older$ } from './rebuilt.js';

/**
 * Reads the state of a target at one member in place of what is lost. A state below the position
 * is that of a store that began anew, which is found out first, or of a member that lags, which is asked again.
 */
export function resync$(site: LegSite): Observable<V2LegItem> {
  const { position, context } = site;
  const { epoch } = context.watermark;
  return readState$(site).pipe(
    switchMap((state) => (isBelow(position, state) ? older$(site, state.index) : of(state))),
    map((state) => {
      // What is found out meanwhile is still to come.
      position.storeEpoch = epoch;
      return resync(position, state);
    }),
  );
}

/** Whether a state that should be of the same store stands below what was seen of it. */
const isBelow = (position: Cursor, { index, info }: State): boolean =>
  position.lost === 'cleared' && !position.isOfAnother(info.clusterId) && index < (position.next ?? 1) - 1;

/** The event that carries a state, read afresh, in place of what was lost. */
function resync(position: Cursor, { node, index, info }: State): V2LegItem {
  const from = position.begins ?? index;
  const reason = position.isOfAnother(info.clusterId) ? 'another-cluster' : (position.lost ?? 'cleared');
  const lost: LostEvents =
    reason === 'cleared' ? { reason, from, to: Math.max(from, index) } : { reason, from };
  position.clusterId = info.clusterId ?? position.clusterId;
  position.keysWithTtl = countKeysWithTtl(node);
  return {
    type: 'events',
    events: [{ action: 'resync', node, index, lost, info }],
    next: index + 1,
    // Of another store, whose indexes begin anew.
    ...(reason === 'cleared' ? {} : { epoch: position.epoch + 1 }),
    state: lost,
  };
}

/** The keys of a state that have a TTL. */
export function countKeysWithTtl({ expiration, nodes = [] }: EtcdNode): number {
  return nodes.reduce((sum, node) => sum + countKeysWithTtl(node), expiration === undefined ? 0 : 1);
}
