import { progress, type Batch } from '../../watch/leg-item.js';
import type { ChangeEvent, ResponseInfo, WatchEvent } from '../model/model.js';
import type { KeysBody } from '../wire/decode.js';
import { withKey } from '../api/with-key.js';
import { historyLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { matches } from './matches.js';

/** What became of an answer: an event to emit, or none of interest; or one that was delivered before. */
export type Delivery = Batch<WatchEvent> | 'old';

/** Says what to emit of an answer of etcd, and where that takes the position. */
export function deliver(
  { context: { watermark }, target: { key, recursive }, position }: LegSite,
  { body, info }: { readonly body: KeysBody; readonly info: ResponseInfo },
): Delivery {
  const node = withKey(body.node ?? { key });
  const index = node.modifiedIndex ?? 0;
  watermark.saw({ etcdIndex: index });
  if (!position.isNew(index)) {
    // It can only be made up for.
    if (position.isPassed(index) && matches(key, recursive, body.action, node)) {
      position.silentTo = 0;
      throw historyLost('cleared');
    }
    return 'old';
  }
  if (node.expiration !== undefined) position.keysWithTtl += 1;
  if (body.prevNode?.expiration !== undefined) position.keysWithTtl -= 1;
  const next = index + 1;
  if (!matches(key, recursive, body.action, node)) return progress(next);
  const action = body.action as ChangeEvent['action'];
  const prevNode = body.prevNode === undefined ? {} : { prevNode: body.prevNode };
  return { type: 'events', events: [{ action, node, ...prevNode, index, info }], next };
}
