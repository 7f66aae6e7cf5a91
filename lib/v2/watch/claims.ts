import type { Cursor } from './cursor.js';
import type { PollPart } from './poll.js';

/** Lets a poll from the cursor claim what its headers say, as long as it is silent. */
export function claims(cursor: Cursor, endpoint: string): (part: PollPart) => void {
  return (part) => {
    if (part.type === 'arriving') cursor.doubt();
    if (part.type !== 'registered') return;
    cursor.witness(endpoint, part.sentAt);
    const index = part.info.etcdIndex ?? cursor.toldBefore(endpoint, part.sentAt);
    if (index !== undefined) cursor.claim(endpoint, index, performance.now());
  };
}
