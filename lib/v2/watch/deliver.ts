import type { KeysBody } from '../wire/decode.js';
import type { ChangeEvent, ResponseInfo } from '../model/model.js';
import { withKey } from '../api/with-key.js';
import type { Cursor } from './cursor.js';
import type { LegContext } from './leg-context.js';
import { matches } from './matches.js';
import type { Target } from './target.js';

/** What became of an answer: an event to emit, one of no interest, or one that was delivered before. */
export type Delivery = ChangeEvent | 'no match' | 'old';

/** Moves the cursor over an answer of etcd, and says what to emit of it. */
export function deliver(
  { watermark }: LegContext,
  { key, recursive }: Target,
  cursor: Cursor,
  { body, info }: { readonly body: KeysBody; readonly info: ResponseInfo },
): Delivery {
  const node = withKey(body.node ?? { key });
  const index = node.modifiedIndex ?? 0;
  watermark.saw(index);
  if (!cursor.isNew(index)) return 'old';
  cursor.arriveAt(index);
  if (node.expiration !== undefined) cursor.keysWithTtl += 1;
  if (body.prevNode?.expiration !== undefined) cursor.keysWithTtl -= 1;
  if (!matches(key, recursive, body.action, node)) return 'no match';
  const action = body.action as ChangeEvent['action'];
  return { action, node, ...(body.prevNode === undefined ? {} : { prevNode: body.prevNode }), index, info };
}
