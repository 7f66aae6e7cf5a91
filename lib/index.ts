export type { BaseClient } from './client/base-client.js';
export { EtcdClient } from './client/etcd-client.js';
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
  isConflict,
  isDirectoryNotEmpty,
  isEtcdApiError,
  isGone,
  isInvalidOption,
  isKeyExists,
  isKeyNotFound,
  isNotDirectory,
  isNotFile,
  isNotFound,
  isOutcomeUnknown,
  isRequestTimeout,
  isResponseTooLarge,
  isStaleRead,
  isTlsError,
  isUnsupportedByServer,
  isWatchHistoryLost,
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
  type LossReason,
  type Lost,
  type LostEvents,
  type LostRevisions,
} from './errors.js';
export type { ClientEvent } from './insight/events.js';
export { ofAction } from './v2/watch/of-action.js';
export { watchEvents, type WatchStageEvent } from './insight/watch-events.js';
export type { OpenWatch } from './v2/watch/open-watch.js';
export type { WatchStage } from './watch/watch-run.js';
export type { LogLevel, LogOptions } from './insight/log-events.js';
export type { CallOptions, ClientOptions, ConnectOptions, RetryOptions, TlsOptions } from './options.js';
export type { HttpMethod } from './transport/http.js';
export type { AuthApi, CreateUserOptions, RoleChanges, UserChanges } from './v2/api/auth.js';
export type {
  AuthChange,
  AuthRole,
  AuthStatus,
  AuthUser,
  ListedRole,
  ListedUser,
  AuthUserRoles,
  Permissions,
} from './v2/model/auth-model.js';
export type {
  CompareAndDeleteOptions,
  CompareAndSwapOptions,
  Condition,
  DeleteOptions,
  GetOptions,
  SetOptions,
  TtlOptions,
} from './v2/api/keys.js';
export type { MembersApi } from './v2/api/members.js';
export type {
  ChangeEvent,
  EtcdAction,
  EtcdNode,
  KeyResponse,
  ResponseInfo,
  ResyncEvent,
  SyncEvent,
  WatchEvent,
} from './v2/model/model.js';
export type { RawOptions, RawResponse } from './v2/api/raw.js';
export type { MemberHealth } from './cluster/member-health.js';
export type { MemberVersion, ServerVersion } from './cluster/server-version.js';
export type { StatsApi, StatsOptions } from './v2/api/stats.js';
export type {
  FollowerStats,
  LeaderStats,
  MemberStats,
  SelfStats,
  StoreStats,
} from './v2/model/stats-model.js';
export type { WatchOnceOptions, WatchOptions } from './v2/watch/watch-api.js';
