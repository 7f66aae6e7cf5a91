import { isSilentWatcher } from '../old/server-release.js';
import type { ResponseInfo } from '../model/model.js';
import type { KeysBody } from '../wire/decode.js';
import { HistoryLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { isWanted } from './matches.js';
import { indexOf } from './poll.js';

/** An event, with the headers of the answer that brought it. */
export interface Brought {
  readonly body: KeysBody;
  readonly info: ResponseInfo;
}

/**
 * Whether others may be missing before an event: a member that fell behind is fed by a snapshot, and leaves out what that
 * holds for those who wait there. How far behind it was does not show: of a member that has just started anew the log
 * begins at its own snapshot, so that even a few entries are made up for by one. It never befalls a leader, nor what comes
 * from the history itself, nor an event at the position.
 *
 * @param since what the member has said last that was not skipped; by default the headers of the event's own answer
 */
export function maySkip(
  { context: { cluster }, position: { next } }: LegSite,
  part: Brought,
  since: ResponseInfo = part.info,
): boolean {
  const { endpoint, etcdIndex } = part.info;
  const index = indexOf(part);
  // Before 0.3 the headers come with the event, and tell its index.
  const looked = isSilentWatcher(cluster.version(endpoint)) ? 0 : (etcdIndex ?? 0);
  if (next === undefined || index <= Math.max(next, looked === 0 ? 0 : looked + 1)) return false;
  const told = since === part.info ? looked : (since.etcdIndex ?? 0);
  return index <= told || !cluster.leads(endpoint, since.raftTerm);
}

/**
 * The same for the answer of a poll, after which the position is asked again. An event that comes again is the first one. An
 * earlier one in its place has been left out before.
 *
 * @throws HistoryLost when the member was fed by a snapshot
 */
export function isDoubtful(site: LegSite, part: Brought): boolean {
  const { position } = site;
  const { endpoint } = part.info;
  const index = indexOf(part);
  const withheld = position.withheld?.endpoint === endpoint ? position.withheld.index : undefined;
  if (withheld !== undefined && index < withheld && isWanted(site.target, part.body)) throw skipped();
  if (!maySkip(site, part) || index === withheld) return false;
  position.withheld = { endpoint, index };
  return true;
}

/**
 * A member that was fed by a snapshot has left events out. Its history has them, but etcd reads a snapshot over what was in
 * memory: there they have values, directories and former nodes of others.
 */
export const skipped = (): HistoryLost => new HistoryLost('skipped');
