import type { KeysBody } from '../wire/decode.js';
import type { ResponseInfo } from '../model/model.js';
import type { LegSite } from './leg-site.js';
import { indexOf } from './poll-part.js';

/** An event that came while it was waited for, this far above the position, may not be the first one. */
const jump = 900;

/**
 * Whether others may be missing before an event: a member that fell far behind is fed by a snapshot, and leaves out
 * what that holds for those who wait there. Only its history can tell, so the event is not to be delivered; the position
 * is to be asked again. It never befalls a leader, nor what comes from the history itself.
 */
export function maySkip(
  { context: { cluster }, position }: LegSite,
  part: { readonly body: KeysBody; readonly info: ResponseInfo },
): boolean {
  const { endpoint, etcdIndex = 0, raftTerm } = part.info;
  const index = indexOf(part);
  if (position.next === undefined || index - position.next <= jump) return false;
  if (index <= etcdIndex || cluster.leads(endpoint, raftTerm)) return false;
  // Where headers cannot be read, an event that comes again tells that it is the first one.
  const again = position.withheld?.endpoint === endpoint && position.withheld.index === index;
  position.withheld = { endpoint, index };
  return !again;
}
