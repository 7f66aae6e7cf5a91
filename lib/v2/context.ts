import { base64 } from '../util/base64.js';
import type { Cluster } from '../cluster/cluster.js';
import type { EventBus } from '../insight/events.js';
import type { Settings } from '../options.js';
import type { HttpHeaders, HttpResponse } from '../transport/http.js';
import type { OwnSecrets } from '../transport/secrets.js';
import type { Transport } from '../transport/transport.js';
import type { Answer } from './wire/decode.js';
import type { ResponseInfo } from './model/model.js';
import { responseInfo } from './wire/response-info.js';
import { isOld } from './old/server-release.js';
import { isBelow, type Mark, type Watermark } from './watermark.js';

/** What the parts of the v2 API share within one client. */
export interface V2Context {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly cluster: Cluster;
  readonly events: EventBus;
  readonly watermark: Watermark;
  /** The value of the Authorization header, if the client has credentials. */
  readonly authorization: string | undefined;
}

/** The Authorization header of basic authentication. */
export function basicAuthorization({ auth }: Pick<Settings, 'auth'>): string | undefined {
  return auth && `Basic ${base64(`${auth.username}:${auth.password}`)}`;
}

/**
 * Reads an answer's headers, and lets the client learn from them.
 *
 * @param since what was seen when a write was sent: an answer to it is above that, unless the cluster was rebuilt
 */
export function learn(
  context: V2Context,
  endpoint: string,
  status: number,
  headers: HttpHeaders,
  since?: Mark,
): ResponseInfo {
  const info = responseInfo(endpoint, status, headers);
  context.cluster.heard(endpoint);
  if (since !== undefined && isBelow(info, since)) context.watermark.restart(since, info);
  context.watermark.saw(info);
  if (info.raftTerm !== undefined) context.cluster.sawTerm(info.raftTerm, endpoint);
  return info;
}

/** An answer of that endpoint, with all that the decoder is to know of it. */
export function answerOf(
  context: V2Context,
  operation: string,
  endpoint: string,
  { status, body, headers }: Pick<HttpResponse, 'status' | 'body'> & { readonly headers?: HttpHeaders },
  own?: OwnSecrets,
): Answer {
  const { cluster, transport } = context;
  const location = status === 307 ? headers?.get('location') : undefined;
  return {
    operation,
    status,
    body,
    endpoint,
    secrets: transport.secrets,
    own,
    // A release that was seen with the API does not run where that is missing: its server has been replaced.
    version: status === 404 && !mayLack(cluster, endpoint) ? undefined : cluster.version(endpoint),
    anonymous: isAnonymous(context),
    redirect: typeof location === 'string' ? originOf(location, endpoint) : undefined,
  };
}

/** The client has neither credentials nor a client certificate. */
export const isAnonymous = ({ authorization, settings }: V2Context): boolean =>
  authorization === undefined && settings.tls.cert === undefined;

/** The release known of the endpoint may lack what was asked for. */
const mayLack = (cluster: Cluster, endpoint: string): boolean =>
  cluster.unsupported(endpoint) !== undefined ||
  (cluster.isVersionFresh(endpoint) && isOld(cluster.version(endpoint)));

function originOf(location: string, base: string): string | undefined {
  return URL.canParse(location, base) ? new URL(location, base).origin : undefined;
}
