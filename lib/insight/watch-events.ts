import { filter, type OperatorFunction } from 'rxjs';
import type { ClientEvent } from './events.js';

/** The stages of a watch's life, as `events$` tells them. */
export type WatchStageEvent = Extract<ClientEvent, { readonly type: `watch-${string}` }>;

/**
 * Lets through what `events$` tells about one watch, by its number, or about all watches of a key.
 *
 * @example
 * ```ts
 * import { EtcdClient, watchEvents } from 'rxetcd';
 * const client = new EtcdClient();
 * client.events$.pipe(watchEvents('/svc')).subscribe((event) => console.log(event.type, event.id));
 * ```
 */
export function watchEvents(watch: number | string): OperatorFunction<ClientEvent, WatchStageEvent> {
  const key = typeof watch === 'string' ? `/${watch.split('/').filter(Boolean).join('/')}` : undefined;
  return filter(
    (event): event is WatchStageEvent =>
      event.type.startsWith('watch-') &&
      'key' in event &&
      (key === undefined ? event.id === watch : event.key === key),
  );
}
