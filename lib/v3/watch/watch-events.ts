import { filter, type OperatorFunction } from 'rxjs';
import type { ClientEvent } from '../../insight/events.js';
import type { WatchStageEvent } from '../../insight/watch-events.js';
import { nameOf, type KeyRange } from '../model/key-range.js';

/**
 * Lets through what `events$` tells about one watch, by its number, or about all watches of a range.
 *
 * @example
 * ```ts
 * import { EtcdClient, watchEvents } from 'rxetcd/v3';
 * const client = new EtcdClient();
 * client.events$.pipe(watchEvents({ prefix: '/svc/' })).subscribe((event) => console.log(event.type, event.id));
 * ```
 */
export function watchEvents(watch: number | KeyRange): OperatorFunction<ClientEvent, WatchStageEvent> {
  const key = typeof watch === 'number' ? undefined : nameOf(watch);
  return filter(
    (event): event is WatchStageEvent =>
      event.type.startsWith('watch-') &&
      'key' in event &&
      (key === undefined ? event.id === watch : event.key === key),
  );
}
