export { EtcdClient } from './client.js';
export { ClusterState } from './cluster/cluster-state.js';
export { ClusterState$ } from './cluster/cluster-state-subject.js';
export { failover, type FailoverConfig, type FailoverStep } from './cluster/failover.js';
export { heartbeat, type HeartbeatConfig } from './cluster/heartbeat.js';
export { Member, type MemberInfo, type MemberStatus } from './cluster/member.js';
export {
  AllNodesDownError,
  AuthenticationError,
  ClientClosedError,
  EtcdApiError,
  EtcdError,
  EtcdErrorCode,
  InvalidOptionError,
  isAllNodesDown,
  isAuthenticationError,
  isClientClosed,
  isCompareFailed,
  isDirectoryNotEmpty,
  isEtcdApiError,
  isInvalidOption,
  isKeyExists,
  isKeyNotFound,
  isNotDirectory,
  isNotFile,
  isOutcomeUnknown,
  isRequestTimeout,
  isStaleRead,
  isTlsError,
  isUnsupportedByServer,
  isWatchHistoryLost,
  OutcomeUnknownError,
  RequestTimeoutError,
  StaleReadError,
  TlsError,
  UnsupportedByServerError,
  WatchHistoryLostError,
  type ApiErrorAnswer,
  type Attempt,
  type EtcdErrorDetails,
  type EtcdErrorKind,
} from './errors.js';
export type { ClientEvent } from './events.js';
export type { CallOptions, ClientOptions, RetryOptions, TlsOptions } from './options.js';
export type {
  CompareAndDeleteOptions,
  CompareAndSwapOptions,
  Condition,
  DeleteOptions,
  GetOptions,
  SetOptions,
  TtlOptions,
} from './v2/keys.js';
export type {
  ChangeEvent,
  EtcdAction,
  EtcdNode,
  KeyResponse,
  ResponseInfo,
  ResyncEvent,
  SyncEvent,
  WatchEvent,
} from './v2/model.js';
export type { WatchOnceOptions, WatchOptions } from './v2/watch/watch-api.js';
