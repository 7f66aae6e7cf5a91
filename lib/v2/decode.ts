import { Fault } from '../cluster/fault.js';
import {
  AuthenticationError,
  EtcdApiError,
  EtcdError,
  EtcdErrorCode,
  UnsupportedByServerError,
} from '../errors.js';
import { isRecord } from '../check.js';
import type { EtcdAction, EtcdNode } from './model.js';

/** A success of the keys API, as it stands in the body. */
export interface KeysBody {
  readonly action: EtcdAction;
  readonly node?: EtcdNode;
  readonly prevNode?: EtcdNode;
}

/** Parses a body by its content; etcd's content types are not to be trusted. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** A success of the keys API; anything else is thrown as a Fault. */
export function decodeKeys(operation: string, status: number, body: string): KeysBody {
  const json = parseJson(body);
  if (status < 300 && isRecord(json) && typeof json['action'] === 'string')
    return json as unknown as KeysBody;
  throw faultOf(operation, status, body, json);
}

/** What an answer that is no success means. */
export function faultOf(operation: string, status: number, body: string, json = parseJson(body)): Fault {
  const answer = { status, body };
  if (isRecord(json) && typeof json['errorCode'] === 'number')
    return apiFault(operation, json, json['errorCode'], answer);
  if (status === 307) {
    return new Fault({
      ...answer,
      summary: 'redirected to the leader',
      executed: 'no',
      leaderless: true,
      toError: (details) => unexpected(operation, 'redirected, but no leader is known', details),
    });
  }
  if (status === 401) {
    const message = isRecord(json) && typeof json['message'] === 'string' ? json['message'] : 'Unauthorized';
    return new Fault({
      ...answer,
      summary: `401 ${message}`,
      toError: (details) =>
        new AuthenticationError(
          operation,
          { errorCode: EtcdErrorCode.Unauthorized, message, reason: '', index: 0, status },
          details,
        ),
    });
  }
  if (status === 404 && /page not found/i.test(body)) {
    return new Fault({
      ...answer,
      summary: '404, and not from the v2 API',
      toError: (details) =>
        new UnsupportedByServerError(
          `${operation}: the server has no v2 API (etcd 3.4 and 3.5 need --enable-v2=true; 3.6 has none)`,
          details,
        ),
    });
  }
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

/** What a status that is not etcd's own tells of the request; nothing where it is the last word. */
function executedBefore(status: number): { executed: 'no' | 'unknown' } | undefined {
  // Misdirected, too early, too many: a proxy's word that it went no further.
  if (status === 421 || status === 425 || status === 429) return { executed: 'no' };
  if (status === 408 || status < 400 || status >= 500) return { executed: 'unknown' };
  return undefined;
}

function apiFault(
  operation: string,
  json: Record<string, unknown>,
  errorCode: number,
  answer: { status: number; body: string },
): Fault {
  const text = (name: string): string => (typeof json[name] === 'string' ? json[name] : '');
  const index = typeof json['index'] === 'number' ? json['index'] : 0;
  const error = { errorCode, message: text('message'), reason: text('cause'), index, status: answer.status };
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
        ? new AuthenticationError(operation, error, details)
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
