import {
  EtcdApiError,
  EtcdError,
  kindIs,
  type ApiErrorAnswer,
  type EtcdErrorDetails,
  type LostRevisions,
  type WatchHistoryLostError,
} from '../errors.js';
import { defined } from '../util/defined.js';
import type { KeyValue } from './model/key-value.js';
import type { ResponseInfo } from './model/response-info.js';

/*
 * The errors that the v3 API adds to the family. All tell what etcd said, and nothing was changed by the call.
 */

/** The user has no right to do this with that key. */
export class PermissionDeniedError extends EtcdApiError {
  declare readonly code: 'PERMISSION_DENIED';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'PERMISSION_DENIED');
  }
}

/** Where a read stood when what it read was compacted. */
interface CompactedRead {
  readonly revision?: number | undefined;
  readonly compactRevision?: number | undefined;
  readonly lastKey?: Uint8Array | undefined;
}

/** The revision that was asked for has been compacted: the server no longer holds it. */
export class CompactedError extends EtcdApiError {
  declare readonly code: 'COMPACTED';
  /** The revision that was to be read; absent where a compaction was asked for. */
  declare readonly revision?: number;
  /** Up to which revision the store is compacted, by the member that was asked; after a read page by page, if it tells. */
  declare readonly compactRevision?: number;
  /** The last key that a read page by page has emitted, in bytes; absent before the first, and in other calls. */
  declare readonly lastKey?: Uint8Array;
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'COMPACTED');
  }
}

/** The same error, which now tells where the read stood. */
export const compactedIn = (error: CompactedError, read: CompactedRead): CompactedError =>
  Object.assign(error, defined(read));

/** A conditional write did not find what it compares with; it has written nothing. */
export class CompareFailedError extends EtcdError {
  declare readonly code: 'COMPARE_FAILED';
  /** The key as it was when it was compared, read in the same transaction; absent if there was no such key. */
  declare readonly kv?: KeyValue;
  /** What the answer tells of the server. */
  readonly info: ResponseInfo;

  constructor(operation: string, kv: KeyValue | undefined, info: ResponseInfo) {
    const found =
      kv === undefined
        ? 'there is no such key'
        : `the key has modRevision ${kv.modRevision}, version ${kv.version}`;
    super('COMPARE_FAILED', `${operation}: the comparison failed: ${found}`, { endpoint: info.endpoint });
    if (kv !== undefined) this.kv = kv;
    this.info = info;
  }
}

/** The store has not reached the revision that was asked for. */
export class FutureRevisionError extends EtcdApiError {
  declare readonly code: 'FUTURE_REVISION';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'FUTURE_REVISION');
  }
}

/** There is no such lease: it has expired, was revoked, or never was. */
export class LeaseNotFoundError extends EtcdApiError {
  declare readonly code: 'LEASE_NOT_FOUND';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'LEASE_NOT_FOUND');
  }
}

/** The server's database has reached its quota; it takes no more writes but deletes. */
export class NoSpaceError extends EtcdApiError {
  declare readonly code: 'NO_SPACE';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'NO_SPACE');
  }
}

/** The member that was asked is a learner, which serves no such call. */
export class NotSupportedByLearnerError extends EtcdApiError {
  declare readonly code: 'NOT_SUPPORTED_BY_LEARNER';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'NOT_SUPPORTED_BY_LEARNER');
  }
}

/** True when the user lacks the right. */
export const isPermissionDenied = kindIs<PermissionDeniedError>('PERMISSION_DENIED');
/** True when the revision asked for has been compacted. */
export const isCompacted = kindIs<CompactedError>('COMPACTED');
/** True when a conditional write did not find what it compares with; it carries what it found. */
export const isCompareFailed = kindIs<CompareFailedError>('COMPARE_FAILED');
/** True when the revision asked for is yet to come. */
export const isFutureRevision = kindIs<FutureRevisionError>('FUTURE_REVISION');
/** True when there is no such lease. */
export const isLeaseNotFound = kindIs<LeaseNotFoundError>('LEASE_NOT_FOUND');
/** True when the server's database is full. */
export const isNoSpace = kindIs<NoSpaceError>('NO_SPACE');
/** True when the one member that was asked is a learner. */
export const isNotSupportedByLearner = kindIs<NotSupportedByLearnerError>('NOT_SUPPORTED_BY_LEARNER');
/** True when what a watch has yet to see can no longer be had, with `onHistoryLost: 'error'`. */
export const isWatchHistoryLost = kindIs<WatchHistoryLostError<LostRevisions>>('WATCH_HISTORY_LOST');
