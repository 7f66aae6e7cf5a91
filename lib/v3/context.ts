import type { Cluster } from '../cluster/cluster.js';
import type { EventBus } from '../insight/events.js';
import type { Settings } from '../options.js';
import type { Transport } from '../transport/transport.js';
import { responseInfo, type ResponseInfo } from './model/response-info.js';
import type { SeenRevision } from './seen-revision.js';
import type { TokenKeeper } from './token-keeper.js';
import type { Answer } from './wire/messages.js';

/** What the parts of the v3 API share within one client. */
export interface V3Context {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly cluster: Cluster;
  readonly events: EventBus;
  readonly seen: SeenRevision;
  /** The token of the moment, if there is one: sent as it is, in the header that every release takes. */
  readonly token: () => string | undefined;
  /** Where it comes from; undefined without name and password. */
  readonly tokens?: TokenKeeper | undefined;
}

/** Reads the header of an answer, and lets the client learn from it; undefined if it names no member. */
export function learn(
  { cluster, seen }: V3Context,
  endpoint: string,
  header: Answer<'ResponseHeader'> | undefined,
): ResponseInfo | undefined {
  const info = responseInfo(header, endpoint);
  if (info === undefined) return undefined;
  seen.saw(info);
  if (info.raftTerm > 0) cluster.sawTerm(info.raftTerm, endpoint);
  return info;
}

/** The client has nothing to authenticate itself with. */
export const isAnonymous = ({ settings }: V3Context, token: string | undefined): boolean =>
  token === undefined && settings.auth === undefined && settings.tls.cert === undefined;
