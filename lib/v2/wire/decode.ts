import type { Fault, FaultConfig } from '../../cluster/fault.js';
import {
  authenticationHint,
  executedBefore,
  fault,
  foreignFault,
  isPathless,
  reachesNobody,
  told,
  unexpected,
  whatElse,
  type ServerAnswer,
} from '../../cluster/server-answer.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdErrorCode,
  UnsupportedByServerError,
  type ApiErrorAnswer,
} from '../../errors.js';
import { isRecord } from '../../check.js';
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
import { parseJson, textIn } from '../../transport/parse-json.js';
import { absence, isLegacy } from '../old/server-release.js';
import type { Shape } from './shape.js';

export type { KeysBody } from './keys-body.js';

/** An answer of the v2 API, and what is known of its exchange. */
export interface Answer extends ServerAnswer {
  /** The release of the server that answered, if known. */
  readonly version?: string | undefined;
  /** The origin that a redirect points to; that of the server itself if it points nowhere. */
  readonly redirect?: string | undefined;
}

/**
 * A success of the keys API, checked in every part that is relied on; anything else is thrown as a Fault.
 *
 * @param asked what it must be the answer to
 */
export function decodeKeys(answer: Answer, asked?: Asked): KeysBody {
  const json = parseJson(answer.body);
  if (answer.status >= 300 || !isRecord(json) || typeof json['action'] !== 'string')
    throw keysFaultOf(answer, json, asked);
  const keys = mayBeLegacy(answer.version, json['action']) ? modernBody(json) : json;
  const flaw = keysBodyFlaw(keys) ?? (asked && mixUp(keys as unknown as KeysBody, asked));
  if (flaw !== undefined) throw foreignFault(answer, flaw);
  return keys as unknown as KeysBody;
}

/** An event of a watch of that key; anything else is thrown as a Fault. */
export function decodeEvent(answer: Answer, key: string): KeysBody {
  const event = decodeKeys(answer);
  const of = event.node?.key ?? '/';
  // History answers by the text of keys alone; what is not related even so was meant for somebody else.
  const flaw = of.startsWith(key) || key.startsWith(of) ? eventFlaw(event) : `it is of the key ${of}`;
  if (flaw !== undefined) throw foreignFault(answer, flaw);
  return event;
}

/** A first read does not wait to learn the release. */
const mayBeLegacy = (version: string | undefined, action: string): boolean =>
  version === undefined ? action === 'get' : isLegacy(version);

/** A success with a JSON object of that shape; anything else is thrown as a Fault. */
export function decodeObject(answer: Answer, shape: Shape): Record<string, unknown> {
  const json = parseJson(answer.body);
  if (answer.status >= 300 || !isRecord(json)) throw faultOf(answer, json);
  const flaw = shape(json);
  if (flaw !== undefined) throw foreignFault(answer, `answer${flaw}`);
  return json;
}

/** What an answer of the keys API that is no success means: there etcd's own word has an error code. */
export function keysFaultOf(
  answer: Answer,
  json = parseJson(answer.body),
  asked?: Pick<Asked, 'key'>,
): Fault {
  const isOwn = answer.status >= 500 || hasErrorCode(json) || textIn(json, 'message') === refusal;
  const flaw = hasErrorCode(json) && asked !== undefined ? errorMixUp(json, asked) : undefined;
  if (flaw !== undefined) return foreignFault(answer, flaw, 'unknown');
  return faultOf(answer, isOwn ? json : null);
}

/** What an answer that is no success means. */
export function faultOf(answer: Answer, json = parseJson(answer.body)): Fault {
  const { operation, status, body, version, redirect } = answer;
  if (hasErrorCode(json)) return apiFault(answer, json);
  if (status === 307)
    return fault(answer, {
      summary: `redirected to ${told(redirect ?? 'nowhere', answer)}`,
      executed: 'no',
      redirect: { to: redirect },
      leaderless: true,
      toError: (details) => unexpected(operation, 'redirected, but no leader is known', details),
    });
  if (isPathless(status, body))
    return fault(answer, {
      summary: '404, and not from the v2 API',
      isStrange: true,
      toError: (details) => new UnsupportedByServerError(`${operation}: ${absence(version)}`, details),
    });
  const message = textIn(json, 'message');
  // Who may not do something is told so in these words alone: whatever else refuses is a proxy.
  if (message !== undefined && status >= 400 && (status !== 401 || message === refusal))
    return messageFault(answer, message);
  return foreignFault(answer, whatElse(body));
}

/** What etcd says to whom it does not know, or who lacks a right. */
const refusal = 'Insufficient credentials';

const hasErrorCode = (json: unknown): json is { errorCode: number } & Record<string, unknown> =>
  isRecord(json) && typeof json['errorCode'] === 'number';

/** A member's own word that it knows of no leader: `during election`. */
export const isLeaderless = (status: number, json: unknown): boolean =>
  status === 503 && /\belection|\bleader/i.test(textIn(json, 'message') ?? '');

/** The word of a gateway or a balancer that reaches no member: a page, or JSON that is not etcd's. */
export const isGateways = (status: number, json: unknown): boolean =>
  reachesNobody(status) && !hasErrorCode(json) && !isLeaderless(status, json);

/** Members, statistics and authentication answer with a message alone. */
function messageFault(answer: Answer, message: string): Fault {
  const { status } = answer;
  const errorCode = status === 401 ? EtcdErrorCode.Unauthorized : 0;
  return ownFault(
    answer,
    { errorCode, message, reason: '', index: 0 },
    {
      executed: executedBefore(status),
      leaderless: isLeaderless(status, { message }),
      isStrange: isGateways(status, { message }),
    },
  );
}

/** etcd's own word. */
function ownFault(answer: Answer, word: Omit<ApiErrorAnswer, 'status'>, config: Partial<FaultConfig>): Fault {
  const { operation, status } = answer;
  const [message, reason] = [told(word.message, answer), told(word.reason, answer)];
  const error = { ...word, message, reason, status };
  return fault(answer, {
    summary: `${status} ${message}${reason === '' ? '' : ` (${reason})`}`,
    toError: (details) =>
      word.errorCode === EtcdErrorCode.Unauthorized
        ? new AuthenticationError(operation, error, {
            ...details,
            hint: authenticationHint(answer.anonymous),
          })
        : new EtcdApiError(operation, error, details),
    ...config,
  });
}

/** How etcd 3.5 fails to update a directory: surely, though it calls that a raft error. */
const directoryUpdate = /^nodePath .*: Not a file/s;

function apiFault(answer: Answer, json: { errorCode: number } & Record<string, unknown>): Fault {
  const { operation, status, version = '3.5' } = answer;
  const { errorCode } = json;
  const reason = textIn(json, 'cause') ?? '';
  const index = isIndex(json['index']) ? json['index'] : 0;
  const word = { errorCode, message: textIn(json, 'message') ?? '', reason, index };
  if (errorCode === EtcdErrorCode.RaftInternal && directoryUpdate.test(reason))
    return fault(answer, {
      errorCode,
      summary: `${status} ${told(reason, answer)}`,
      toError: (details) =>
        new UnsupportedByServerError(
          `${operation}: etcd ${version} cannot update a directory, nor its TTL`,
          details,
        ),
    });
  const isInternal =
    errorCode === EtcdErrorCode.RaftInternal ||
    errorCode === EtcdErrorCode.LeaderElect ||
    errorCode === EtcdErrorCode.WatcherCleared ||
    status >= 500;
  return ownFault(answer, word, {
    errorCode,
    executed: isInternal ? 'unknown' : undefined,
    leaderless: isInternal,
  });
}
