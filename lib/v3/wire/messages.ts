/*
 * etcd's v3 API as data, after etcd's `api/etcdserverpb/rpc.proto`, `mvccpb/kv.proto`, `authpb/auth.proto`, `v3lockpb` and
 * `v3electionpb`: what requests and answers hold, under etcd's own names, for whoever writes or reads them.
 */

/**
 * `id`: a uint64 that names a cluster or a member; `lease`: an int64 that names a lease. Both are hexadecimal text in this
 * library, as `etcdctl` prints them. Other 64-bit integers are numbers; one that a number cannot hold is an error.
 */
export type Scalar = 'bytes' | 'string' | 'bool' | 'uint32' | 'int64' | 'uint64' | 'id' | 'lease';

/** Of a `choice` (protobuf: `oneof`) at most one field is there, and an absent one is no zero. */
export type Label = 'list' | 'choice';

/** A field's number on the wire, and what it holds: a scalar, or the name of an enum or of another message. */
export type Field = readonly [number: number, type: string, label?: Label];

/** The names of each enum's values, from 0 on. */
export const enums = {
  SortOrder: ['NONE', 'ASCEND', 'DESCEND'],
  SortTarget: ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'],
  CompareResult: ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'],
  CompareTarget: ['VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'],
  FilterType: ['NOPUT', 'NODELETE'],
  EventType: ['PUT', 'DELETE'],
  AlarmType: ['NONE', 'NOSPACE', 'CORRUPT'],
  AlarmAction: ['GET', 'ACTIVATE', 'DEACTIVATE'],
  DowngradeAction: ['VALIDATE', 'ENABLE', 'CANCEL'],
  PermissionType: ['READ', 'WRITE', 'READWRITE'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What many answers hold alone. */
const headerAlone = { header: [1, 'ResponseHeader'] } as const;
const headerAndMembers = { ...headerAlone, members: [2, 'Member', 'list'] } as const;
const headerAndRoles = { ...headerAlone, roles: [2, 'string', 'list'] } as const;
const oneName = { name: [1, 'string'] } as const;
const nothing = {} as const;

/** The fields of each message. */
export const messages = {
  ResponseHeader: {
    cluster_id: [1, 'id'],
    member_id: [2, 'id'],
    revision: [3, 'int64'],
    raft_term: [4, 'uint64'],
  },

  // Keys
  KeyValue: {
    key: [1, 'bytes'],
    create_revision: [2, 'int64'],
    mod_revision: [3, 'int64'],
    version: [4, 'int64'],
    value: [5, 'bytes'],
    lease: [6, 'lease'],
  },
  RangeRequest: {
    key: [1, 'bytes'],
    range_end: [2, 'bytes'],
    limit: [3, 'int64'],
    revision: [4, 'int64'],
    sort_order: [5, 'SortOrder'],
    sort_target: [6, 'SortTarget'],
    serializable: [7, 'bool'],
    keys_only: [8, 'bool'],
    count_only: [9, 'bool'],
    min_mod_revision: [10, 'int64'],
    max_mod_revision: [11, 'int64'],
    min_create_revision: [12, 'int64'],
    max_create_revision: [13, 'int64'],
  },
  RangeResponse: {
    ...headerAlone,
    kvs: [2, 'KeyValue', 'list'],
    more: [3, 'bool'],
    count: [4, 'int64'],
  },
  RangeStreamResponse: { range_response: [1, 'RangeResponse'] },
  PutRequest: {
    key: [1, 'bytes'],
    value: [2, 'bytes'],
    lease: [3, 'lease'],
    prev_kv: [4, 'bool'],
    ignore_value: [5, 'bool'],
    ignore_lease: [6, 'bool'],
  },
  PutResponse: { ...headerAlone, prev_kv: [2, 'KeyValue'] },
  DeleteRangeRequest: { key: [1, 'bytes'], range_end: [2, 'bytes'], prev_kv: [3, 'bool'] },
  DeleteRangeResponse: { ...headerAlone, deleted: [2, 'int64'], prev_kvs: [3, 'KeyValue', 'list'] },
  RequestOp: {
    request_range: [1, 'RangeRequest', 'choice'],
    request_put: [2, 'PutRequest', 'choice'],
    request_delete_range: [3, 'DeleteRangeRequest', 'choice'],
    request_txn: [4, 'TxnRequest', 'choice'],
  },
  ResponseOp: {
    response_range: [1, 'RangeResponse', 'choice'],
    response_put: [2, 'PutResponse', 'choice'],
    response_delete_range: [3, 'DeleteRangeResponse', 'choice'],
    response_txn: [4, 'TxnResponse', 'choice'],
  },
  Compare: {
    result: [1, 'CompareResult'],
    target: [2, 'CompareTarget'],
    key: [3, 'bytes'],
    version: [4, 'int64', 'choice'],
    create_revision: [5, 'int64', 'choice'],
    mod_revision: [6, 'int64', 'choice'],
    value: [7, 'bytes', 'choice'],
    lease: [8, 'lease', 'choice'],
    range_end: [64, 'bytes'],
  },
  TxnRequest: {
    compare: [1, 'Compare', 'list'],
    success: [2, 'RequestOp', 'list'],
    failure: [3, 'RequestOp', 'list'],
  },
  TxnResponse: { ...headerAlone, succeeded: [2, 'bool'], responses: [3, 'ResponseOp', 'list'] },
  CompactionRequest: { revision: [1, 'int64'], physical: [2, 'bool'] },
  CompactionResponse: headerAlone,

  // Watches
  Event: { type: [1, 'EventType'], kv: [2, 'KeyValue'], prev_kv: [3, 'KeyValue'] },
  WatchRequest: {
    create_request: [1, 'WatchCreateRequest', 'choice'],
    cancel_request: [2, 'WatchCancelRequest', 'choice'],
    progress_request: [3, 'WatchProgressRequest', 'choice'],
  },
  WatchCreateRequest: {
    key: [1, 'bytes'],
    range_end: [2, 'bytes'],
    start_revision: [3, 'int64'],
    progress_notify: [4, 'bool'],
    filters: [5, 'FilterType', 'list'],
    prev_kv: [6, 'bool'],
    watch_id: [7, 'int64'],
    fragment: [8, 'bool'],
  },
  WatchCancelRequest: { watch_id: [1, 'int64'] },
  WatchProgressRequest: nothing,
  WatchResponse: {
    ...headerAlone,
    watch_id: [2, 'int64'],
    created: [3, 'bool'],
    canceled: [4, 'bool'],
    compact_revision: [5, 'int64'],
    cancel_reason: [6, 'string'],
    fragment: [7, 'bool'],
    events: [11, 'Event', 'list'],
  },

  // Leases
  LeaseGrantRequest: { TTL: [1, 'int64'], ID: [2, 'lease'] },
  LeaseGrantResponse: { ...headerAlone, ID: [2, 'lease'], TTL: [3, 'int64'], error: [4, 'string'] },
  LeaseRevokeRequest: { ID: [1, 'lease'] },
  LeaseRevokeResponse: headerAlone,
  LeaseKeepAliveRequest: { ID: [1, 'lease'] },
  LeaseKeepAliveResponse: { ...headerAlone, ID: [2, 'lease'], TTL: [3, 'int64'] },
  LeaseTimeToLiveRequest: { ID: [1, 'lease'], keys: [2, 'bool'] },
  LeaseTimeToLiveResponse: {
    ...headerAlone,
    ID: [2, 'lease'],
    TTL: [3, 'int64'],
    grantedTTL: [4, 'int64'],
    keys: [5, 'bytes', 'list'],
  },
  LeaseLeasesRequest: nothing,
  LeaseStatus: { ID: [1, 'lease'] },
  LeaseLeasesResponse: { ...headerAlone, leases: [2, 'LeaseStatus', 'list'] },

  // Members
  Member: {
    ID: [1, 'id'],
    name: [2, 'string'],
    peerURLs: [3, 'string', 'list'],
    clientURLs: [4, 'string', 'list'],
    isLearner: [5, 'bool'],
  },
  MemberAddRequest: { peerURLs: [1, 'string', 'list'], isLearner: [2, 'bool'] },
  MemberAddResponse: { ...headerAlone, member: [2, 'Member'], members: [3, 'Member', 'list'] },
  MemberRemoveRequest: { ID: [1, 'id'] },
  MemberRemoveResponse: headerAndMembers,
  MemberUpdateRequest: { ID: [1, 'id'], peerURLs: [2, 'string', 'list'] },
  MemberUpdateResponse: headerAndMembers,
  MemberListRequest: { linearizable: [1, 'bool'] },
  MemberListResponse: headerAndMembers,
  MemberPromoteRequest: { ID: [1, 'id'] },
  MemberPromoteResponse: headerAndMembers,

  // Maintenance
  AlarmRequest: { action: [1, 'AlarmAction'], memberID: [2, 'id'], alarm: [3, 'AlarmType'] },
  AlarmMember: { memberID: [1, 'id'], alarm: [2, 'AlarmType'] },
  AlarmResponse: { ...headerAlone, alarms: [2, 'AlarmMember', 'list'] },
  StatusRequest: nothing,
  StatusResponse: {
    ...headerAlone,
    version: [2, 'string'],
    dbSize: [3, 'int64'],
    leader: [4, 'id'],
    raftIndex: [5, 'uint64'],
    raftTerm: [6, 'uint64'],
    raftAppliedIndex: [7, 'uint64'],
    errors: [8, 'string', 'list'],
    dbSizeInUse: [9, 'int64'],
    isLearner: [10, 'bool'],
    storageVersion: [11, 'string'],
    dbSizeQuota: [12, 'int64'],
    downgradeInfo: [13, 'DowngradeInfo'],
  },
  DowngradeInfo: { enabled: [1, 'bool'], targetVersion: [2, 'string'] },
  DefragmentRequest: nothing,
  DefragmentResponse: headerAlone,
  HashRequest: nothing,
  HashResponse: { ...headerAlone, hash: [2, 'uint32'] },
  HashKVRequest: { revision: [1, 'int64'] },
  HashKVResponse: {
    ...headerAlone,
    hash: [2, 'uint32'],
    compact_revision: [3, 'int64'],
    hash_revision: [4, 'int64'],
  },
  SnapshotRequest: nothing,
  SnapshotResponse: {
    ...headerAlone,
    remaining_bytes: [2, 'uint64'],
    blob: [3, 'bytes'],
    version: [4, 'string'],
  },
  MoveLeaderRequest: { targetID: [1, 'id'] },
  MoveLeaderResponse: headerAlone,
  DowngradeRequest: { action: [1, 'DowngradeAction'], version: [2, 'string'] },
  DowngradeResponse: { ...headerAlone, version: [2, 'string'] },

  // Users and roles
  AuthEnableRequest: nothing,
  AuthEnableResponse: headerAlone,
  AuthDisableRequest: nothing,
  AuthDisableResponse: headerAlone,
  AuthStatusRequest: nothing,
  AuthStatusResponse: { ...headerAlone, enabled: [2, 'bool'], authRevision: [3, 'uint64'] },
  AuthenticateRequest: { ...oneName, password: [2, 'string'] },
  AuthenticateResponse: { ...headerAlone, token: [2, 'string'] },
  UserAddOptions: { no_password: [1, 'bool'] },
  AuthUserAddRequest: {
    ...oneName,
    password: [2, 'string'],
    options: [3, 'UserAddOptions'],
    hashedPassword: [4, 'string'],
  },
  AuthUserAddResponse: headerAlone,
  AuthUserGetRequest: oneName,
  AuthUserGetResponse: headerAndRoles,
  AuthUserListRequest: nothing,
  AuthUserListResponse: { ...headerAlone, users: [2, 'string', 'list'] },
  AuthUserDeleteRequest: oneName,
  AuthUserDeleteResponse: headerAlone,
  AuthUserChangePasswordRequest: { ...oneName, password: [2, 'string'], hashedPassword: [3, 'string'] },
  AuthUserChangePasswordResponse: headerAlone,
  AuthUserGrantRoleRequest: { user: [1, 'string'], role: [2, 'string'] },
  AuthUserGrantRoleResponse: headerAlone,
  AuthUserRevokeRoleRequest: { ...oneName, role: [2, 'string'] },
  AuthUserRevokeRoleResponse: headerAlone,
  Permission: { permType: [1, 'PermissionType'], key: [2, 'bytes'], range_end: [3, 'bytes'] },
  AuthRoleAddRequest: oneName,
  AuthRoleAddResponse: headerAlone,
  AuthRoleGetRequest: { role: [1, 'string'] },
  AuthRoleGetResponse: { ...headerAlone, perm: [2, 'Permission', 'list'] },
  AuthRoleListRequest: nothing,
  AuthRoleListResponse: headerAndRoles,
  AuthRoleDeleteRequest: { role: [1, 'string'] },
  AuthRoleDeleteResponse: headerAlone,
  AuthRoleGrantPermissionRequest: { ...oneName, perm: [2, 'Permission'] },
  AuthRoleGrantPermissionResponse: headerAlone,
  AuthRoleRevokePermissionRequest: { role: [1, 'string'], key: [2, 'bytes'], range_end: [3, 'bytes'] },
  AuthRoleRevokePermissionResponse: headerAlone,

  // The server's own locks and elections
  LockRequest: { name: [1, 'bytes'], lease: [2, 'lease'] },
  LockResponse: { ...headerAlone, key: [2, 'bytes'] },
  UnlockRequest: { key: [1, 'bytes'] },
  UnlockResponse: headerAlone,
  LeaderKey: { name: [1, 'bytes'], key: [2, 'bytes'], rev: [3, 'int64'], lease: [4, 'lease'] },
  CampaignRequest: { name: [1, 'bytes'], lease: [2, 'lease'], value: [3, 'bytes'] },
  CampaignResponse: { ...headerAlone, leader: [2, 'LeaderKey'] },
  LeaderRequest: { name: [1, 'bytes'] },
  LeaderResponse: { ...headerAlone, kv: [2, 'KeyValue'] },
  ProclaimRequest: { leader: [1, 'LeaderKey'], value: [2, 'bytes'] },
  ProclaimResponse: headerAlone,
  ResignRequest: { leader: [1, 'LeaderKey'] },
  ResignResponse: headerAlone,
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

type Enums = typeof enums;
type Messages = typeof messages;
export type EnumName = keyof Enums;
export type MessageName = keyof Messages;

interface ScalarTypes {
  bytes: Uint8Array;
  string: string;
  bool: boolean;
  uint32: number;
  int64: number;
  uint64: number;
  id: string;
  lease: string;
}

/** The names of an enum's values: `'PUT' | 'DELETE'`. */
type EnumValue<E extends EnumName> = Enums[E][number];

/** What one value of that type is, of a request (`'in'`) or an answer (`'out'`). */
type TypeOf<T, Way extends 'in' | 'out'> = T extends keyof ScalarTypes
  ? ScalarTypes[T]
  : T extends EnumName
    ? EnumValue<T>
    : T extends MessageName
      ? Way extends 'in'
        ? Message<T>
        : Answer<T>
      : never;

/** A message to be sent; what is left out is etcd's default: 0, empty, false, the first of an enum. */
export type Message<M extends MessageName> = {
  readonly [F in keyof Messages[M]]?:
    | (Messages[M][F] extends readonly [number, infer T, 'list']
        ? readonly TypeOf<T, 'in'>[]
        : Messages[M][F] extends readonly [number, infer T, ...unknown[]]
          ? TypeOf<T, 'in'>
          : never)
    | undefined;
};

/**
 * A message as it was read. What was left out is there as etcd's default. Undefined can be: a message that is absent, one
 * field of a choice, and an id of 0, which names nothing.
 */
export type Answer<M extends MessageName> = {
  readonly [F in keyof Messages[M]]: Messages[M][F] extends readonly [number, infer T, 'list']
    ? readonly TypeOf<T, 'out'>[]
    : Messages[M][F] extends readonly [number, infer T, 'choice']
      ? TypeOf<T, 'out'> | undefined
      : Messages[M][F] extends readonly [number, infer T]
        ? T extends 'id' | 'lease' | MessageName
          ? TypeOf<T, 'out'> | undefined
          : TypeOf<T, 'out'>
        : never;
};
