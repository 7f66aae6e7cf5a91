import { filter, type OperatorFunction } from 'rxjs';
import type { WatchEvent } from '../model/model.js';

/**
 * Lets through the events of a watch with one of these actions, and narrows their type to it.
 *
 * @example
 * ```ts
 * import { EtcdClient, ofAction } from 'rxetcd';
 * new EtcdClient()
 *   .watch$('/svc')
 *   .pipe(ofAction('delete', 'expire'))
 *   .subscribe(({ node }) => console.log(`${node.key} has gone`));
 * ```
 */
export function ofAction<A extends WatchEvent['action']>(
  ...actions: readonly A[]
): OperatorFunction<WatchEvent, WatchEvent & { readonly action: A }> {
  const wanted: readonly string[] = actions;
  return filter((event): event is WatchEvent & { readonly action: A } => wanted.includes(event.action));
}
