import { Fault } from '../cluster/fault.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  EtcdErrorCode,
  UnsupportedByServerError,
} from '../errors.js';
import { isRecord } from '../check.js';
import { modernBody } from './legacy-body.js';
import { parseJson } from './parse-json.js';
import { isLegacy } from './server-release.js';
import type { EtcdAction, EtcdNode } from './model.js';

/** A success of the keys API, as it stands in the body. */
export interface KeysBody {
  readonly action: EtcdAction;
  readonly node?: EtcdNode;
  readonly prevNode?: EtcdNode;
}

/** What the decoder is told of the exchange, besides its answer. */
export interface Exchange {
  /** The release of the server that answered, if known. */
  readonly version?: string | undefined;
  /** The origin that a redirect points to; that of the server itself if it points nowhere. */
  readonly redirect?: string | undefined;
  /** The request had neither credentials nor a client certificate. */
  readonly anonymous?: boolean;
}

/** A success of the keys API; anything else is thrown as a Fault. */
export function decodeKeys(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
): KeysBody {
  const json = parseJson(body);
  if (status < 300 && isRecord(json) && typeof json['action'] === 'string')
    return (mayBeLegacy(exchange.version, json['action']) ? modernBody(json) : json) as unknown as KeysBody;
  throw faultOf(operation, status, body, exchange, json);
}

/** A first read does not wait to learn the release. */
const mayBeLegacy = (version: string | undefined, action: string): boolean =>
  version === undefined ? action === 'get' : isLegacy(version);

/** A success with a JSON object; anything else is thrown as a Fault. */
export function decodeObject(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
): Record<string, unknown> {
  const json = parseJson(body);
  if (status < 300 && isRecord(json)) return json;
  throw faultOf(operation, status, body, exchange, json);
}

/** What an answer that is no success means. */
export function faultOf(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
  json = parseJson(body),
): Fault {
  const answer = { status, body };
  if (isRecord(json) && typeof json['errorCode'] === 'number')
    return apiFault(operation, json, json['errorCode'], answer, exchange);
  if (status === 307) {
    return new Fault({
      ...answer,
      summary: `redirected to ${exchange.redirect ?? 'nowhere'}`,
      executed: 'no',
      redirect: exchange.redirect,
      leaderless: true,
      toError: (details) => unexpected(operation, 'redirected, but no leader is known', details),
    });
  }
  if (status === 404 && !isRecord(json) && /page not found/i.test(body)) {
    return new Fault({
      ...answer,
      summary: '404, and not from the v2 API',
      toError: (details) =>
        new UnsupportedByServerError(`${operation}: ${absence(exchange.version)}`, details),
    });
  }
  const message = messageOf(json) ?? (status === 401 ? 'Unauthorized' : undefined);
  if (message !== undefined && status >= 400) return messageFault(operation, message, answer, exchange);
  const what =
    status < 300
      ? `${String(status)} with a body that is ${body === '' ? 'empty' : 'no answer of etcd'}`
      : String(status);
  return new Fault({
    ...answer,
    summary: what,
    ...(executedBefore(status) ?? {}),
    toError: (details) => unexpected(operation, what, details),
  });
}

const messageOf = (json: unknown): string | undefined =>
  isRecord(json) && typeof json['message'] === 'string' ? json['message'] : undefined;

/** Why a path of the v2 API is not there. */
function absence(version: string | undefined): string {
  if (version !== undefined && /^[0-2]\./.test(version)) return `etcd ${version} has no such call`;
  const who = version === undefined ? 'the server' : `this server (etcd ${version})`;
  return `${who} has no v2 API (etcd 3.4 and 3.5 need --enable-v2=true; 3.6 has none)`;
}

/** Members, statistics and authentication answer with a message alone. */
function messageFault(
  operation: string,
  message: string,
  answer: { status: number; body: string },
  exchange: Exchange,
): Fault {
  const { status } = answer;
  const error = {
    errorCode: status === 401 ? EtcdErrorCode.Unauthorized : 0,
    message,
    reason: '',
    index: 0,
    status,
  };
  return new Fault({
    ...answer,
    summary: `${String(status)} ${message}`,
    ...(executedBefore(status) ?? {}),
    ...(status === 503 ? { leaderless: true } : {}),
    toError: (details) =>
      status === 401
        ? new AuthenticationError(operation, error, { ...details, hint: authenticationHint(exchange) })
        : new EtcdApiError(operation, error, details),
  });
}

/** etcd does not say what is wrong; the client knows at least whether it gave a name. */
export const authenticationHint = ({ anonymous }: Exchange, right = 'the right'): string =>
  anonymous === true
    ? 'no credentials were given: option auth'
    : `the user name or password is wrong, or the user lacks ${right}`;

/** What a status that is not etcd's own tells of the request; nothing where it is the last word. */
function executedBefore(status: number): { executed: 'no' | 'unknown' } | undefined {
  // Misdirected, too early, too many: a proxy's word that it went no further. 407: the proxy's own.
  if (status === 407 || status === 421 || status === 425 || status === 429) return { executed: 'no' };
  if (status === 408 || status < 400 || status >= 500) return { executed: 'unknown' };
  return undefined;
}

/** How etcd 3.5 fails to update a directory: surely, though it calls that a raft error. */
const directoryUpdate = /^nodePath .*: Not a file/s;

function apiFault(
  operation: string,
  json: Record<string, unknown>,
  errorCode: number,
  answer: { status: number; body: string },
  exchange: Exchange,
): Fault {
  const text = (name: string): string => (typeof json[name] === 'string' ? json[name] : '');
  const index = typeof json['index'] === 'number' ? json['index'] : 0;
  const error = { errorCode, message: text('message'), reason: text('cause'), index, status: answer.status };
  if (errorCode === EtcdErrorCode.RaftInternal && directoryUpdate.test(error.reason)) {
    return new Fault({
      ...answer,
      errorCode,
      summary: `${String(answer.status)} ${error.reason}`,
      toError: (details) =>
        new UnsupportedByServerError(
          `${operation}: etcd ${exchange.version ?? '3.5'} cannot update a directory, nor its TTL`,
          details,
        ),
    });
  }
  const internal =
    errorCode === EtcdErrorCode.RaftInternal ||
    errorCode === EtcdErrorCode.LeaderElect ||
    errorCode === EtcdErrorCode.WatcherCleared ||
    answer.status >= 500;
  return new Fault({
    ...answer,
    errorCode,
    summary: `${String(answer.status)} ${error.message}${error.reason === '' ? '' : ` (${error.reason})`}`,
    ...(internal ? { executed: 'unknown', leaderless: true } : {}),
    toError: (details) =>
      errorCode === EtcdErrorCode.Unauthorized
        ? new AuthenticationError(operation, error, { ...details, hint: authenticationHint(exchange) })
        : new EtcdApiError(operation, error, details),
  });
}

function unexpected(
  operation: string,
  what: string,
  details: ConstructorParameters<typeof EtcdError>[2],
): EtcdError {
  return new EtcdError('UNEXPECTED_RESPONSE', `${operation}: unexpected answer: ${what}`, details);
}
