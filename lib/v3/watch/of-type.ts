import { filter, type OperatorFunction } from 'rxjs';
import type { WatchEvent } from '../model/watch-event.js';

/**
 * Lets through the events of a watch that are of one of these types, and narrows their type to it.
 *
 * @example
 * ```ts
 * import { EtcdClient, ofType } from 'rxetcd/v3';
 * new EtcdClient()
 *   .watch$({ prefix: '/svc/' })
 *   .pipe(ofType('delete'))
 *   .subscribe(({ key }) => console.log(`${key} has gone`));
 * ```
 */
export function ofType<T extends WatchEvent['type']>(
  ...types: readonly T[]
): OperatorFunction<WatchEvent, Extract<WatchEvent, { readonly type: T }>> {
  const wanted: readonly string[] = types;
  return filter((event): event is Extract<WatchEvent, { readonly type: T }> => wanted.includes(event.type));
}
