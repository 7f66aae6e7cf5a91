export type { BaseClient } from './client/base-client.js';
export { EtcdClient } from './client/etcd-client.v3.js';
export { ClusterState } from './cluster/cluster-state.js';
export { ClusterState$ } from './cluster/cluster-state-subject.js';
export { failover, type FailoverConfig, type FailoverStep } from './cluster/failover.js';
export { heartbeat, type HeartbeatConfig } from './cluster/heartbeat.js';
export { Member, type MemberInfo, type MemberStatus } from './cluster/member.js';
export type { MemberHealth } from './cluster/member-health.js';
export type { MemberVersion, ServerVersion } from './cluster/server-version.js';
export {
  AllNodesDownError,
  AuthenticationError,
  ClientClosedError,
  EtcdApiError,
  EtcdError,
  InvalidOptionError,
  isAllNodesDown,
  isAuthenticationError,
  isClientClosed,
  isEtcdApiError,
  isInvalidOption,
  isOutcomeUnknown,
  isRequestTimeout,
  isResponseTooLarge,
  isStaleRead,
  isTlsError,
  isUnsupportedByServer,
  OutcomeUnknownError,
  RequestTimeoutError,
  ResponseTooLargeError,
  StaleReadError,
  TlsError,
  UnsupportedByServerError,
  WatchHistoryLostError,
  type ApiErrorAnswer,
  type ApiErrorKind,
  type Attempt,
  type EtcdErrorDetails,
  type EtcdErrorKind,
  type LostRevisions,
} from './errors.js';
export type { ClientEvent } from './insight/events.js';
export type { LogLevel, LogOptions } from './insight/log-events.js';
export type { WatchStageEvent } from './insight/watch-events.js';
export type { CallOptions, ClientOptions, ConnectOptions, RetryOptions, TlsOptions } from './options.js';
export type {
  CompareAndDeleteOptions,
  CompareAndSwapOptions,
  Condition,
  CreateOptions,
  UpdateOptions,
} from './v3/api/conditional.js';
export { compare, type Comparison, type Distinct, type Ordered } from './v3/api/compare.js';
export {
  op,
  type DeleteOperation,
  type GetOperation,
  type Operation,
  type Operations,
  type PutOperation,
  type RangeOperation,
  type Transaction,
  type TxnOperation,
} from './v3/api/op.js';
export type { TxnOptions, TxnResponse } from './v3/api/txn.js';
export type { ResultOf, ResultsOf, TxnResult } from './v3/api/txn-result.js';
export type { Modification, ModifyOptions, ModifyResponse } from './v3/api/modify.js';
export type { DeleteOptions, PutOptions } from './v3/api/put-options.js';
export type { GetOptions, PagesOptions, RangeOptions, Selection, Sort } from './v3/api/range-options.js';
export type { RawOptions } from './v3/api/raw.js';
export {
  CompactedError,
  CompareFailedError,
  FutureRevisionError,
  isCompacted,
  isCompareFailed,
  isFutureRevision,
  isLeaseNotFound,
  isNoSpace,
  isNotSupportedByLearner,
  isPermissionDenied,
  isWatchHistoryLost,
  LeaseNotFoundError,
  NoSpaceError,
  NotSupportedByLearnerError,
  PermissionDeniedError,
} from './v3/errors.js';
export type { Key, KeyRange, Value } from './v3/model/key-range.js';
export type { KeyValue } from './v3/model/key-value.js';
export type { ResponseInfo } from './v3/model/response-info.js';
export type {
  DeleteResponse,
  DeleteResult,
  GetResponse,
  GetResult,
  PutResponse,
  PutResult,
  RangeResponse,
  RangeResult,
} from './v3/model/responses.js';
export type {
  ChangeEvent,
  DeleteEvent,
  LiveEvent,
  ProgressEvent,
  PutEvent,
  ResyncEvent,
  SyncEvent,
  WatchEvent,
} from './v3/model/watch-event.js';
export { byRevision, type Revision, type RevisionEvent } from './v3/watch/by-revision.js';
export { ofType } from './v3/watch/of-type.js';
export type { OpenWatch } from './v3/watch/open-watch.js';
export type { WatchOnceOptions, WatchOptions } from './v3/watch/watch-api.js';
export { watchEvents } from './v3/watch/watch-events.js';
export type { AnswerOf, RequestOf, ServiceName, UnaryName } from './v3/wire/methods.js';
export type { WatchStage } from './watch/watch-run.js';
