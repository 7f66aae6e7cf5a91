import { isSameBytes } from '../../util/same-bytes.js';
import type { Batch } from '../../watch/leg-item.js';
import { keyValue } from '../model/key-value.js';
import type { ChangeEvent } from '../model/watch-event.js';
import type { Answer } from '../wire/messages.js';

/** A change as etcd tells it. */
export type Change = Answer<'Event'>;

/** The revision of a change; 0 if it names none. */
export const revisionOf = ({ kv }: Change): number => kv?.mod_revision ?? 0;

/** Puts changes, in order, into one list for each revision: what belongs together is told together. */
export function byRevision(changes: readonly Change[]): readonly (readonly Change[])[] {
  const lists: Change[][] = [];
  let revision: number | undefined;
  for (const change of changes) {
    if (revisionOf(change) !== revision) lists.push([]);
    revision = revisionOf(change);
    lists.at(-1)?.push(change);
  }
  return lists;
}

/** All changes of one revision as a watch tells them; the position is behind them then. */
export function batchOf(changes: readonly Change[]): Batch<ChangeEvent> {
  const events = changes.flatMap((change, i) => eventOf(change, i === changes.length - 1) ?? []);
  return { type: 'events', events, next: Math.max(0, ...changes.map(revisionOf)) + 1 };
}

function eventOf({ type, kv, prev_kv: before }: Change, last: boolean): ChangeEvent | undefined {
  if (kv === undefined) return undefined;
  const read = keyValue(kv);
  const shared = {
    ...(before === undefined ? {} : { prevKv: keyValue(before) }),
    revision: kv.mod_revision,
    last,
  };
  return type === 'PUT'
    ? { type: 'put', kv: read, ...shared }
    : { type: 'delete', key: read.key, keyBytes: read.keyBytes, ...shared };
}

/** Whether two are the same change of the same history, not merely of the same revision. */
export function isSameChange(a: Change, b: Change): boolean {
  const [x, y] = [a.kv, b.kv];
  return (
    a.type === b.type &&
    x?.mod_revision === y?.mod_revision &&
    x?.version === y?.version &&
    isSameBytes(x?.key, y?.key) &&
    isSameBytes(x?.value, y?.value)
  );
}
