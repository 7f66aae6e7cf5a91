import { oneLine } from './util/one-line.js';

/**
 * The error family. Every error of the client is an {@link EtcdError} with a stable `code`; callers tell them apart
 * by the guards below (which work across bundles) or by `instanceof`.
 */

/** One try of a call: where it went and how it ended. */
export interface Attempt {
  /** The URL that was asked. */
  readonly endpoint: string;
  /** What happened, in a few words: `ECONNREFUSED`, `timed out after 1000 ms`, `503`. */
  readonly error: string;
  /** The HTTP status, if an answer came. */
  readonly status?: number;
  /** The first 500 characters of the answer's body, if one came. */
  readonly body?: string;
  /** When the try began. */
  readonly at: Date;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

/** The codes of errors that are etcd's own word. Those behind the first two come from the v3 API alone. */
export type ApiErrorKind =
  | 'API_ERROR'
  | 'AUTHENTICATION'
  | 'PERMISSION_DENIED'
  | 'COMPACTED'
  | 'FUTURE_REVISION'
  | 'LEASE_NOT_FOUND'
  | 'NO_SPACE'
  | 'NOT_SUPPORTED_BY_LEARNER';

/** The stable codes of the error family. `COMPARE_FAILED` comes from the v3 API alone. */
export type EtcdErrorKind =
  | ApiErrorKind
  | 'ALL_NODES_DOWN'
  | 'OUTCOME_UNKNOWN'
  | 'REQUEST_TIMEOUT'
  | 'TLS'
  | 'INVALID_OPTION'
  | 'UNSUPPORTED_BY_SERVER'
  | 'STALE_READ'
  | 'COMPARE_FAILED'
  | 'WATCH_HISTORY_LOST'
  | 'CLIENT_CLOSED'
  | 'RESPONSE_TOO_LARGE'
  | 'UNEXPECTED_RESPONSE';

/** The codes that are not named as their classes are. */
const otherNames: Partial<Record<EtcdErrorKind, string>> = {
  API_ERROR: 'EtcdApiError',
  UNEXPECTED_RESPONSE: 'EtcdError',
};

/** The name of a code's class, which a minifier would change: that of `ALL_NODES_DOWN` is `AllNodesDownError`. */
const nameOf = (code: EtcdErrorKind): string =>
  otherNames[code] ??
  `${code.toLowerCase().replace(/(^|_)(.)/g, (_match, _start, first: string) => first.toUpperCase())}Error`;

/** What every error may carry. */
export interface EtcdErrorDetails {
  readonly endpoint?: string | undefined;
  readonly attempts?: readonly Attempt[] | undefined;
  /** The likely cause, where the server does not tell. */
  readonly hint?: string | undefined;
}

function attemptLine({ endpoint, error, at, durationMs }: Attempt): string {
  return oneLine(`  ${at.toISOString()} ${endpoint}: ${error} (${Math.round(durationMs)} ms)`);
}

/**
 * The base of all errors of the client. `message` is a headline and one short line for each attempt; `code` is stable.
 *
 * @example
 * ```ts
 * import { EtcdError } from 'rxetcd';
 * const explain = (e: unknown) => (e instanceof EtcdError ? `${e.code} at ${e.endpoint ?? 'no endpoint'}` : String(e));
 * ```
 */
export class EtcdError extends Error {
  /** Stable name of the kind of failure. */
  readonly code: EtcdErrorKind;
  /** The URL that failed last, if one was asked. */
  readonly endpoint?: string;
  /** Every try of the call, in order; empty when nothing was sent. */
  readonly attempts: readonly Attempt[];
  /** The first line of `message`. */
  readonly #headline: string;

  constructor(
    code: EtcdErrorKind,
    headline: string,
    { endpoint, attempts = [], hint }: EtcdErrorDetails = {},
  ) {
    const firstLine = oneLine(hint === undefined ? headline : `${headline} (${hint})`);
    super([firstLine, ...attempts.map(attemptLine)].join('\n'));
    this.name = nameOf(code);
    this.code = code;
    const last = endpoint ?? attempts.at(-1)?.endpoint;
    if (last !== undefined) this.endpoint = last;
    this.attempts = attempts;
    this.#headline = firstLine;
  }

  /** One line, without the attempts. */
  override toString(): string {
    return `${this.name}: ${this.#headline}`;
  }

  /** The same one line. */
  toJSON(): string {
    return this.toString();
  }

  /** The message with every attempt, then the stack. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.stack ?? `${this.name}: ${this.message}`;
  }
}

/** What etcd says of an error. */
export interface ApiErrorAnswer {
  readonly errorCode: number;
  readonly message: string;
  readonly reason: string;
  readonly index: number;
  readonly status: number;
}

/** etcd answered the request with an error of its own; `errorCode` is one of {@link EtcdErrorCode}, or 0. The v3 API gives gRPC's. */
export class EtcdApiError extends EtcdError {
  declare readonly code: ApiErrorKind;
  /** etcd's number of the error, see {@link EtcdErrorCode}; 0 where it gives none: members, statistics, auth. */
  readonly errorCode: number;
  /** etcd's cause: the missing key, the failed comparison. */
  readonly reason: string;
  /** The store's index when the error was made; 0 when etcd did not say. */
  readonly index: number;
  /** The HTTP status. */
  readonly status: number;

  constructor(
    operation: string,
    answer: ApiErrorAnswer,
    details?: EtcdErrorDetails,
    code: ApiErrorKind = 'API_ERROR',
  ) {
    const { errorCode, message, reason, index, status } = answer;
    super(
      code,
      `${operation}: ${message}${reason === '' ? '' : ` (${reason})`} [${errorCode === 0 ? `HTTP ${status}` : String(errorCode)}]`,
      details,
    );
    this.errorCode = errorCode;
    this.reason = reason;
    this.index = index;
    this.status = status;
  }
}

/** The server refused the credentials, or the user lacks the right; etcd does not say which. */
export class AuthenticationError extends EtcdApiError {
  declare readonly code: 'AUTHENTICATION';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'AUTHENTICATION');
  }
}

/** No member could serve the call before its deadline, and nothing was executed. */
export class AllNodesDownError extends EtcdError {
  declare readonly code: 'ALL_NODES_DOWN';
  /** `'no-quorum'`: members answer but have no leader. `'unreachable'`: none answers. */
  readonly reason: 'no-quorum' | 'unreachable';

  constructor(operation: string, reason: 'no-quorum' | 'unreachable', details?: EtcdErrorDetails) {
    super(
      'ALL_NODES_DOWN',
      `${operation}: ${reason === 'unreachable' ? 'no member can be reached' : 'the cluster has no quorum'}`,
      details,
    );
    this.reason = reason;
  }
}

/** A write was sent and its answer never came: it may or may not have been executed, now or later. */
export class OutcomeUnknownError extends EtcdError {
  declare readonly code: 'OUTCOME_UNKNOWN';
  constructor(operation: string, why: string, details?: EtcdErrorDetails) {
    super('OUTCOME_UNKNOWN', `${operation}: sent, but its outcome is unknown: ${why}`, details);
  }
}

/** No answer came in time; nothing was changed by the call. */
export class RequestTimeoutError extends EtcdError {
  declare readonly code: 'REQUEST_TIMEOUT';
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(operation: string, timeoutMs: number, details?: EtcdErrorDetails) {
    super('REQUEST_TIMEOUT', `${operation}: no answer within ${timeoutMs} ms`, details);
    this.timeoutMs = timeoutMs;
  }
}

/** The TLS handshake failed: wrong certificate, missing client certificate, or no TLS at that port. */
export class TlsError extends EtcdError {
  declare readonly code: 'TLS';
  constructor(operation: string, why: string, details?: EtcdErrorDetails) {
    super('TLS', `${operation}: TLS failed: ${why}`, details);
  }
}

/** What has no shape to tell of, but its content. */
const isPrimitive = (value: unknown): boolean =>
  value !== null && typeof value !== 'object' && typeof value !== 'function';

const shown = (value: unknown): string => {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol' || typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
};

/** An option or argument cannot be used; nothing was sent. */
export class InvalidOptionError extends EtcdError {
  declare readonly code: 'INVALID_OPTION';
  /** The name of the option or argument, as `retry.max` or `key`. */
  readonly option: string;
  /** The value given; `undefined` where it could be or hold a secret. */
  readonly value: unknown;

  constructor(option: string, value: unknown, expected: string, { secret = false } = {}) {
    super(
      'INVALID_OPTION',
      `${option}: expected ${expected}, got ${secret && isPrimitive(value) ? 'a value not shown' : shown(value)}`,
    );
    this.option = option;
    this.value = secret ? undefined : value;
  }
}

/** The server lacks what the call needs, or would destroy data by ignoring a condition. */
export class UnsupportedByServerError extends EtcdError {
  declare readonly code: 'UNSUPPORTED_BY_SERVER';
  constructor(what: string, details?: EtcdErrorDetails) {
    super('UNSUPPORTED_BY_SERVER', what, details);
  }
}

/** Every answer was older than what this client had already seen. */
export class StaleReadError extends EtcdError {
  declare readonly code: 'STALE_READ';
  /** The highest index seen when the read was subscribed. */
  readonly seen: number;
  /** The index of the answer. */
  readonly index: number;

  constructor(operation: string, index: number, seen: number, details?: EtcdErrorDetails) {
    super(
      'STALE_READ',
      `${operation}: answered at index ${index}, but index ${seen} was seen before`,
      details,
    );
    this.index = index;
    this.seen = seen;
  }
}

/**
 * What a watch can no longer have, and why.
 *
 * - `cleared`: the server no longer holds the events of the indexes `from` to `to`, both inclusive.
 * - `rebuilt`: the cluster began anew, or was restored, below what had been seen; `another-cluster`: what answers now has
 *   another cluster's id. Indexes count anew: `from` is the first one of the former store that was not seen. How far that
 *   store went nobody can tell, so there is no `to`.
 */
export type LostEvents =
  | { readonly reason: 'cleared'; readonly from: number; readonly to: number }
  | { readonly reason: 'rebuilt' | 'another-cluster'; readonly from: number; readonly to?: undefined };

/** Why events are lost. */
export type LossReason = LostEvents['reason'];

/**
 * What a watch of the v3 API can no longer be told: what was compacted away (`compacted`: the revisions from `from` to `to`),
 * or what a store held that was put back to an older state (`restored`), or that another one has taken the place of (`rebuilt`).
 */
export type LostRevisions =
  | { readonly reason: 'compacted'; readonly from: number; readonly to: number }
  | { readonly reason: 'restored' | 'rebuilt'; readonly from: number; readonly to?: undefined };

/** What a watch has lost, of either API. */
export type Lost = LostEvents | LostRevisions;

const lossTexts: Readonly<Record<Lost['reason'], (lost: Lost) => string>> = {
  cleared: ({ from, to }) => `the events from index ${from} to ${to} are gone from the server`,
  compacted: ({ from, to }) => `what happened from ${from} to ${to} was compacted away`,
  rebuilt: ({ from }) => `the cluster was rebuilt; what it held from index ${from} on is gone`,
  restored: ({ from }) => `the cluster was put back to an older state; what it held from ${from} on is gone`,
  'another-cluster': ({ from }) =>
    `the cluster is another one; what the former held from index ${from} on is gone`,
};

/** What a watch has yet to see can no longer be had (with `onHistoryLost: 'error'`). */
export class WatchHistoryLostError<L extends Lost = LostEvents> extends EtcdError {
  declare readonly code: 'WATCH_HISTORY_LOST';
  /** The key watched. */
  readonly key: string;
  /** What is lost, and why. */
  readonly lost: L;

  constructor(key: string, lost: L, details?: EtcdErrorDetails) {
    super('WATCH_HISTORY_LOST', `watch ${key}: ${lossTexts[lost.reason](lost)}`, details);
    this.key = key;
    this.lost = lost;
  }
}

/** The answer, or an event of a watch, is larger than the client takes; nothing was changed by the call. */
export class ResponseTooLargeError extends EtcdError {
  declare readonly code: 'RESPONSE_TOO_LARGE';
  /** The bound that it passed, in bytes: the option `maxResponseBytes`. */
  readonly maxResponseBytes: number;

  constructor(operation: string, maxResponseBytes: number, details?: EtcdErrorDetails) {
    super(
      'RESPONSE_TOO_LARGE',
      `${operation}: the answer is larger than ${maxResponseBytes} bytes, the option maxResponseBytes`,
      details,
    );
    this.maxResponseBytes = maxResponseBytes;
  }
}

/** The client was closed. */
export class ClientClosedError extends EtcdError {
  declare readonly code: 'CLIENT_CLOSED';
  constructor(operation = 'call', details?: EtcdErrorDetails) {
    super('CLIENT_CLOSED', `${operation}: the client is closed`, details);
  }
}

/** The error codes of the etcd v2 API (etcd: Documentation/v2/errorcode.md). */
export const EtcdErrorCode = {
  KeyNotFound: 100,
  CompareFailed: 101,
  NotFile: 102,
  NotDirectory: 104,
  KeyExists: 105,
  RootReadOnly: 107,
  DirectoryNotEmpty: 108,
  Unauthorized: 110,
  PrevValueRequired: 201,
  TtlNotANumber: 202,
  IndexNotANumber: 203,
  ValueOrTtlRequired: 204,
  InvalidField: 209,
  InvalidForm: 210,
  RefreshValue: 211,
  RefreshTtlRequired: 212,
  RaftInternal: 300,
  LeaderElect: 301,
  WatcherCleared: 400,
  EventIndexCleared: 401,
} as const;

/** By content, not by class: the package may be loaded twice. */
const has = (e: unknown, name: string, value: unknown): boolean =>
  typeof e === 'object' && e !== null && (e as Record<string, unknown>)[name] === value;

/** A guard by the code. */
export const kindIs = <E extends EtcdError>(kind: E['code']): ((e: unknown) => e is E) => {
  return (e): e is E => has(e, 'code', kind);
};

const errorCodeIs =
  (errorCode: number) =>
  (e: unknown): e is EtcdApiError =>
    has(e, 'errorCode', errorCode);

/** What they have, whatever their code. */
const ofApiErrors = ['errorCode', 'index', 'attempts'];

/** True for an error of etcd's own, of any `errorCode`. */
export const isEtcdApiError = (e: unknown): e is EtcdApiError =>
  has(e, 'code', 'API_ERROR') || ofApiErrors.every((name) => name in Object(e));
/** True when the key does not exist (100). */
export const isKeyNotFound = errorCodeIs(EtcdErrorCode.KeyNotFound);
/** True when a compareAndSwap or compareAndDelete did not match (101). */
export const isCompareFailed = errorCodeIs(EtcdErrorCode.CompareFailed);
/** True when the key is a directory and a file was needed (102). */
export const isNotFile = errorCodeIs(EtcdErrorCode.NotFile);
/** True when part of the path is a file (104). */
export const isNotDirectory = errorCodeIs(EtcdErrorCode.NotDirectory);
/** True when the key to be created exists (105). */
export const isKeyExists = errorCodeIs(EtcdErrorCode.KeyExists);
/** True when a directory to be deleted has children (108). */
export const isDirectoryNotEmpty = errorCodeIs(EtcdErrorCode.DirectoryNotEmpty);
/** True when there is no such key, member, user or role (404). */
export const isNotFound = (e: unknown): e is EtcdApiError =>
  isKeyNotFound(e) || (isEtcdApiError(e) && has(e, 'status', 404));
/** True when a member, user or role is there already, or its state forbids the change (409). */
export const isConflict = (e: unknown): e is EtcdApiError => isEtcdApiError(e) && has(e, 'status', 409);
/** True when the member was removed from the cluster before (410). */
export const isGone = (e: unknown): e is EtcdApiError => isEtcdApiError(e) && has(e, 'status', 410);
/** True when a write may or may not have been executed. */
export const isOutcomeUnknown = kindIs<OutcomeUnknownError>('OUTCOME_UNKNOWN');
/** True when no member could serve the call. */
export const isAllNodesDown = kindIs<AllNodesDownError>('ALL_NODES_DOWN');
/** True when no answer came in time. */
export const isRequestTimeout = kindIs<RequestTimeoutError>('REQUEST_TIMEOUT');
/** True when credentials or rights are missing. */
export const isAuthenticationError = kindIs<AuthenticationError>('AUTHENTICATION');
/** True when the TLS handshake failed. */
export const isTlsError = kindIs<TlsError>('TLS');
/** True when an option or argument was refused before anything was sent. */
export const isInvalidOption = kindIs<InvalidOptionError>('INVALID_OPTION');
/** True when the server cannot do what was asked. */
export const isUnsupportedByServer = kindIs<UnsupportedByServerError>('UNSUPPORTED_BY_SERVER');
/** True when only answers older than what was already seen could be had. */
export const isStaleRead = kindIs<StaleReadError>('STALE_READ');
/** True when a watch with `onHistoryLost: 'error'` lost events. */
export const isWatchHistoryLost = kindIs<WatchHistoryLostError>('WATCH_HISTORY_LOST');
/** True when an answer, or an event of a watch, was larger than `maxResponseBytes`. */
export const isResponseTooLarge = kindIs<ResponseTooLargeError>('RESPONSE_TOO_LARGE');
/** True when the client was closed. */
export const isClientClosed = kindIs<ClientClosedError>('CLIENT_CLOSED');
