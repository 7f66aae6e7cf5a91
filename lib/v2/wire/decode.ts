import { Fault, type FaultConfig } from '../../cluster/fault.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  EtcdErrorCode,
  UnsupportedByServerError,
} from '../../errors.js';
import { isRefusal } from '../../transport/http.js';
import { isRecord } from '../../check.js';
import type { OwnSecrets, Secrets } from '../../transport/secrets.js';
import {
  errorMixUp,
  eventFlaw,
  isIndex,
  keysBodyFlaw,
  mixUp,
  type Asked,
  type KeysBody,
} from './keys-body.js';
import { modernBody } from '../old/legacy-body.js';
import { isTooDeep, maxDepth, parseJson } from './parse-json.js';
import { absence, isLegacy } from '../old/server-release.js';
import { record, type Shape } from './shape.js';

export type { KeysBody } from './keys-body.js';

/** What the decoder is told of the exchange, besides its answer. */
export interface Exchange {
  /** Where it went. */
  readonly endpoint?: string | undefined;
  /** The release of the server that answered, if known. */
  readonly version?: string | undefined;
  /** The origin that a redirect points to; that of the server itself if it points nowhere. */
  readonly redirect?: string | undefined;
  /** Hides credentials in what is told of the answer. */
  readonly secrets?: Secrets | undefined;
  /** What its request held besides the client's own. */
  readonly own?: OwnSecrets | undefined;
  /** The request had neither credentials nor a client certificate. */
  readonly anonymous?: boolean;
}

/** What a server said, as it may be told. */
const told = (text: string, { secrets, own }: Exchange): string => secrets?.mask(text, own) ?? text;

/** So much of a body is kept, cut down once more where it is shown. */
const maxKept = 4_000;

/** A body, as it may be kept. */
export const toldBody = (body: string, exchange: Exchange): string | undefined =>
  exchange.own?.keepsNoBody === true ? undefined : told(body.slice(0, maxKept), exchange);

/**
 * A success of the keys API, checked in every part that is relied on; anything else is thrown as a Fault.
 *
 * @param asked what it must be the answer to
 */
export function decodeKeys(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
  asked?: Asked,
): KeysBody {
  const json = parseJson(body);
  if (status >= 300 || !isRecord(json) || typeof json['action'] !== 'string')
    throw keysFaultOf(operation, status, body, exchange, json, asked);
  const answer = mayBeLegacy(exchange.version, json['action']) ? modernBody(json) : json;
  const flaw = keysBodyFlaw(answer) ?? (asked && mixUp(answer as unknown as KeysBody, asked));
  if (flaw !== undefined) throw foreignFault(operation, status, body, exchange, flaw);
  return answer as unknown as KeysBody;
}

/** An event of a watch of that key; anything else is thrown as a Fault. */
export function decodeEvent(
  operation: string,
  key: string,
  status: number,
  body: string,
  exchange: Exchange = {},
): KeysBody {
  const event = decodeKeys(operation, status, body, exchange);
  const of = event.node?.key ?? '/';
  // History answers by the text of keys alone; what is not related even so was meant for somebody else.
  const flaw = of.startsWith(key) || key.startsWith(of) ? eventFlaw(event) : `it is of the key ${of}`;
  if (flaw !== undefined) throw foreignFault(operation, status, body, exchange, flaw);
  return event;
}

/** A first read does not wait to learn the release. */
const mayBeLegacy = (version: string | undefined, action: string): boolean =>
  version === undefined ? action === 'get' : isLegacy(version);

/** A success with a JSON object of that shape; anything else is thrown as a Fault. */
export function decodeObject(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
  shape: Shape = record({}),
): Record<string, unknown> {
  const json = parseJson(body);
  if (status >= 300 || !isRecord(json)) throw faultOf(operation, status, body, exchange, json);
  const flaw = shape(json);
  if (flaw !== undefined) throw foreignFault(operation, status, body, exchange, `answer${flaw}`);
  return json;
}

/** What an answer of the keys API that is no success means: there etcd's own word has an error code. */
export function keysFaultOf(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
  json = parseJson(body),
  asked?: Pick<Asked, 'key'>,
): Fault {
  const isOwn = status >= 500 || hasErrorCode(json) || messageOf(json) === refusal;
  const flaw = hasErrorCode(json) && asked !== undefined ? errorMixUp(json, asked) : undefined;
  if (flaw !== undefined) return foreignFault(operation, status, body, exchange, flaw, 'unknown');
  return faultOf(operation, status, body, exchange, isOwn ? json : null);
}

/** What an answer that is no success means. */
export function faultOf(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange = {},
  json = parseJson(body),
): Fault {
  const answer = { status, body: toldBody(body, exchange) };
  if (hasErrorCode(json)) return apiFault(operation, json, json.errorCode, answer, exchange);
  if (status === 307) {
    return new Fault({
      ...answer,
      summary: `redirected to ${told(exchange.redirect ?? 'nowhere', exchange)}`,
      executed: 'no',
      redirect: exchange.redirect,
      leaderless: true,
      toError: (details) => unexpected(operation, 'redirected, but no leader is known', details),
    });
  }
  if (isPathless(status, body)) {
    return new Fault({
      ...answer,
      summary: '404, and not from the v2 API',
      isStrange: true,
      toError: (details) =>
        new UnsupportedByServerError(`${operation}: ${absence(exchange.version)}`, details),
    });
  }
  const message = messageOf(json);
  // Who may not do something is told so in these words alone: whatever else refuses is a proxy.
  if (message !== undefined && status >= 400 && (status !== 401 || message === refusal))
    return messageFault(operation, message, answer, exchange);
  return foreignFault(operation, status, body, exchange, whatElse(body));
}

/** What Go, and so etcd, says of a path that it does not have. */
const noSuchPath = '404 page not found';
/** What etcd says to whom it does not know, or who lacks a right. */
const refusal = 'Insufficient credentials';

const hasErrorCode = (json: unknown): json is { errorCode: number } & Record<string, unknown> =>
  isRecord(json) && typeof json['errorCode'] === 'number';

/** What a body is that is no answer of etcd. */
export function whatElse(body: string): string {
  if (body === '') return '';
  if (/^\s*</.test(body)) return 'HTML';
  if (isTooDeep(body)) return `JSON of more than ${maxDepth} levels`;
  if (parseJson(body) !== undefined) return 'JSON of another kind';
  return /^\s*[[{]/.test(body) ? 'incomplete JSON' : 'text';
}

/**
 * Not etcd's word, but that of a proxy, a portal, a cache.
 *
 * @param kind what it is instead, or what is wrong with it
 */
export function foreignFault(
  operation: string,
  status: number,
  body: string,
  exchange: Exchange,
  kind: string,
  executed = executedBefore(status),
): Fault {
  const { endpoint } = exchange;
  const code = String(status);
  const what =
    kind !== ''
      ? `${code}, no answer of etcd (${told(kind, exchange)}${endpoint === undefined ? '' : ` from ${endpoint}`})`
      : status < 300
        ? `${code} with a body that is empty`
        : code;
  return new Fault({
    status,
    body: toldBody(body, exchange),
    summary: what,
    ...(executed === undefined ? {} : { executed }),
    ...(isGateways(status, parseJson(body)) ? { isStrange: true } : {}),
    toError: (details) => unexpected(operation, what, details),
  });
}

const messageOf = (json: unknown): string | undefined =>
  isRecord(json) && typeof json['message'] === 'string' ? json['message'] : undefined;

/** etcd's answer where it serves no such path. */
export const isPathless = (status: number, body: string): boolean =>
  status === 404 && body.length < 100 && body.trim() === noSuchPath;

/** A member's own word that it knows of no leader: `during election`. */
export const isLeaderless = (status: number, json: unknown): boolean =>
  status === 503 && /\belection|\bleader/i.test(messageOf(json) ?? '');

/** The word of a gateway or a balancer that reaches no member: a page, or JSON that is not etcd's. */
export const isGateways = (status: number, json: unknown): boolean =>
  (status === 502 || status === 503 || status === 504) &&
  !(isRecord(json) && typeof json['errorCode'] === 'number') &&
  !isLeaderless(status, json);

/** Members, statistics and authentication answer with a message alone. */
function messageFault(
  operation: string,
  message: string,
  answer: { status: number; body: string | undefined },
  exchange: Exchange,
): Fault {
  const { status } = answer;
  const executed = executedBefore(status);
  const error = {
    errorCode: status === 401 ? EtcdErrorCode.Unauthorized : 0,
    message: told(message, exchange),
    reason: '',
    index: 0,
    status,
  };
  return new Fault({
    ...answer,
    summary: `${status} ${error.message}`,
    ...(executed === undefined ? {} : { executed }),
    ...(isLeaderless(status, { message }) ? { leaderless: true } : {}),
    ...(isGateways(status, { message }) ? { isStrange: true } : {}),
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
function executedBefore(status: number): FaultConfig['executed'] {
  if (!isRefusal(status)) return 'unknown';
  // Misdirected, or one too many: it may pass.
  return status === 421 || status === 429 ? 'refused' : undefined;
}

/** How etcd 3.5 fails to update a directory: surely, though it calls that a raft error. */
const directoryUpdate = /^nodePath .*: Not a file/s;

function apiFault(
  operation: string,
  json: Record<string, unknown>,
  errorCode: number,
  answer: { status: number; body: string | undefined },
  exchange: Exchange,
): Fault {
  const text = (name: string): string => (typeof json[name] === 'string' ? json[name] : '');
  const index = isIndex(json['index']) ? json['index'] : 0;
  const error = {
    errorCode,
    message: told(text('message'), exchange),
    reason: told(text('cause'), exchange),
    index,
    status: answer.status,
  };
  if (errorCode === EtcdErrorCode.RaftInternal && directoryUpdate.test(text('cause'))) {
    return new Fault({
      ...answer,
      errorCode,
      summary: `${answer.status} ${error.reason}`,
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
    summary: `${answer.status} ${error.message}${error.reason === '' ? '' : ` (${error.reason})`}`,
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
