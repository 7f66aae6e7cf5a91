import { EtcdApiError, kindIs, type ApiErrorAnswer, type EtcdErrorDetails } from '../errors.js';

/*
 * The errors that the v3 API adds to the family. All are etcd's own word, and nothing was changed by the call.
 */

/** The user has no right to do this with that key. */
export class PermissionDeniedError extends EtcdApiError {
  declare readonly code: 'PERMISSION_DENIED';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'PERMISSION_DENIED');
  }
}

/** The revision that was asked for has been compacted: the server no longer holds it. */
export class CompactedError extends EtcdApiError {
  declare readonly code: 'COMPACTED';
  constructor(operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) {
    super(operation, answer, details, 'COMPACTED');
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
/** True when the revision asked for is yet to come. */
export const isFutureRevision = kindIs<FutureRevisionError>('FUTURE_REVISION');
/** True when there is no such lease. */
export const isLeaseNotFound = kindIs<LeaseNotFoundError>('LEASE_NOT_FOUND');
/** True when the server's database is full. */
export const isNoSpace = kindIs<NoSpaceError>('NO_SPACE');
/** True when the one member that was asked is a learner. */
export const isNotSupportedByLearner = kindIs<NotSupportedByLearnerError>('NOT_SUPPORTED_BY_LEARNER');
