import { ignoreElements, of, switchMap, tap, type Observable } from 'rxjs';
import type { EtcdNode } from '../model/model.js';
import { historyLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { matches } from './matches.js';
import { readState$, type State } from './read-state.js';
import { older$ } from './rebuilt.js';

/**
 * Takes the position to behind what its polls were silent about, since history does not hold that any more. Completes if the state
 * shows nothing that was never told; else errors with HistoryLost.
 */
export function pass$(site: LegSite): Observable<never> {
  const { position } = site;
  return readState$(site).pipe(
    switchMap((state) => {
      if (position.isOfAnother(state.info.clusterId)) throw historyLost('another-cluster');
      return isOld(site, state) ? older$(site, state.index) : of(state);
    }),
    tap((state) => {
      // What was written since will be told: a watch that comes back is not to blame it on what was before.
      if (!showsMore(site, state, position.silentTo)) {
        position.pass();
        return;
      }
      position.silentTo = 0;
      throw historyLost('cleared');
    }),
    ignoreElements(),
  );
}

/**
 * Whether a state that was read since may hold what was never told of the stretch that polls were silent about. A deletion
 * leaves no trace there.
 *
 * @param before a node that was made from there on says nothing of the stretch
 */
export const showsMore = (site: LegSite, state: State, before = Infinity): boolean =>
  isOld(site, state) || holdsMore(site, state.node, before);

/** Whether a state says nothing of the end of that stretch. */
const isOld = ({ position: { silentTo } }: LegSite, { index }: State): boolean => index + 1 < silentTo;

/** Whether a state holds a node that was made or changed at the position or behind it. */
function holdsMore(site: LegSite, node: EtcdNode, before: number): boolean {
  const { target, position } = site;
  const { createdIndex = 0, modifiedIndex = 0, nodes = [] } = node;
  const isNew = createdIndex < before && position.isNew(Math.max(createdIndex, modifiedIndex));
  if (isNew && matches(target.key, target.recursive, 'set', node)) return true;
  return nodes.some((below) => holdsMore(site, below, before));
}
