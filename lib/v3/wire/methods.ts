import type { Answer, Message, MessageName } from './messages.js';

/**
 * What can be asked of a server, after etcd's `rpc.proto`, `v3lock.proto` and `v3election.proto`: each method's path at the
 * JSON gateway (POST; none: gRPC alone), its two messages, and whether answers, or requests too (`both`), come as a stream.
 */
export interface Method {
  readonly path?: string;
  readonly request: MessageName;
  readonly response: MessageName;
  readonly stream?: 'answers' | 'both';
  /** Some releases leave out the header of its answers. */
  readonly headless?: boolean;
}

interface Service {
  /** The protobuf package: gRPC asks for `/<package>.<service>/<method>`. */
  readonly package: 'etcdserverpb' | 'v3lockpb' | 'v3electionpb';
  readonly methods: Readonly<Record<string, Method>>;
}

/** The services of a member, by etcd's names. */
export const services = {
  KV: {
    package: 'etcdserverpb',
    methods: {
      Range: { path: '/v3/kv/range', request: 'RangeRequest', response: 'RangeResponse' },
      RangeStream: { request: 'RangeRequest', response: 'RangeStreamResponse', stream: 'answers' },
      Put: { path: '/v3/kv/put', request: 'PutRequest', response: 'PutResponse' },
      DeleteRange: {
        path: '/v3/kv/deleterange',
        request: 'DeleteRangeRequest',
        response: 'DeleteRangeResponse',
      },
      Txn: { path: '/v3/kv/txn', request: 'TxnRequest', response: 'TxnResponse' },
      Compact: { path: '/v3/kv/compaction', request: 'CompactionRequest', response: 'CompactionResponse' },
    },
  },
  Watch: {
    package: 'etcdserverpb',
    methods: {
      Watch: { path: '/v3/watch', request: 'WatchRequest', response: 'WatchResponse', stream: 'both' },
    },
  },
  Lease: {
    package: 'etcdserverpb',
    methods: {
      LeaseGrant: { path: '/v3/lease/grant', request: 'LeaseGrantRequest', response: 'LeaseGrantResponse' },
      LeaseRevoke: {
        path: '/v3/lease/revoke',
        request: 'LeaseRevokeRequest',
        response: 'LeaseRevokeResponse',
      },
      LeaseKeepAlive: {
        path: '/v3/lease/keepalive',
        request: 'LeaseKeepAliveRequest',
        response: 'LeaseKeepAliveResponse',
        stream: 'both',
      },
      LeaseTimeToLive: {
        path: '/v3/lease/timetolive',
        request: 'LeaseTimeToLiveRequest',
        response: 'LeaseTimeToLiveResponse',
      },
      LeaseLeases: {
        path: '/v3/lease/leases',
        request: 'LeaseLeasesRequest',
        response: 'LeaseLeasesResponse',
      },
    },
  },
  Cluster: {
    package: 'etcdserverpb',
    methods: {
      MemberAdd: {
        path: '/v3/cluster/member/add',
        request: 'MemberAddRequest',
        response: 'MemberAddResponse',
      },
      MemberRemove: {
        path: '/v3/cluster/member/remove',
        request: 'MemberRemoveRequest',
        response: 'MemberRemoveResponse',
      },
      MemberUpdate: {
        path: '/v3/cluster/member/update',
        request: 'MemberUpdateRequest',
        response: 'MemberUpdateResponse',
      },
      MemberList: {
        path: '/v3/cluster/member/list',
        request: 'MemberListRequest',
        response: 'MemberListResponse',
      },
      MemberPromote: {
        path: '/v3/cluster/member/promote',
        request: 'MemberPromoteRequest',
        response: 'MemberPromoteResponse',
      },
    },
  },
  Maintenance: {
    package: 'etcdserverpb',
    methods: {
      Alarm: {
        path: '/v3/maintenance/alarm',
        request: 'AlarmRequest',
        response: 'AlarmResponse',
        headless: true,
      },
      Status: { path: '/v3/maintenance/status', request: 'StatusRequest', response: 'StatusResponse' },
      Defragment: {
        path: '/v3/maintenance/defragment',
        request: 'DefragmentRequest',
        response: 'DefragmentResponse',
        headless: true,
      },
      Hash: { path: '/v3/maintenance/hash', request: 'HashRequest', response: 'HashResponse' },
      HashKV: { path: '/v3/maintenance/hashkv', request: 'HashKVRequest', response: 'HashKVResponse' },
      Snapshot: {
        path: '/v3/maintenance/snapshot',
        request: 'SnapshotRequest',
        response: 'SnapshotResponse',
        stream: 'answers',
      },
      MoveLeader: {
        path: '/v3/maintenance/transfer-leadership',
        request: 'MoveLeaderRequest',
        response: 'MoveLeaderResponse',
        headless: true,
      },
      Downgrade: {
        path: '/v3/maintenance/downgrade',
        request: 'DowngradeRequest',
        response: 'DowngradeResponse',
      },
    },
  },
  Auth: {
    package: 'etcdserverpb',
    methods: {
      AuthEnable: { path: '/v3/auth/enable', request: 'AuthEnableRequest', response: 'AuthEnableResponse' },
      AuthDisable: {
        path: '/v3/auth/disable',
        request: 'AuthDisableRequest',
        response: 'AuthDisableResponse',
      },
      AuthStatus: { path: '/v3/auth/status', request: 'AuthStatusRequest', response: 'AuthStatusResponse' },
      Authenticate: {
        path: '/v3/auth/authenticate',
        request: 'AuthenticateRequest',
        response: 'AuthenticateResponse',
      },
      UserAdd: { path: '/v3/auth/user/add', request: 'AuthUserAddRequest', response: 'AuthUserAddResponse' },
      UserGet: { path: '/v3/auth/user/get', request: 'AuthUserGetRequest', response: 'AuthUserGetResponse' },
      UserList: {
        path: '/v3/auth/user/list',
        request: 'AuthUserListRequest',
        response: 'AuthUserListResponse',
      },
      UserDelete: {
        path: '/v3/auth/user/delete',
        request: 'AuthUserDeleteRequest',
        response: 'AuthUserDeleteResponse',
      },
      UserChangePassword: {
        path: '/v3/auth/user/changepw',
        request: 'AuthUserChangePasswordRequest',
        response: 'AuthUserChangePasswordResponse',
      },
      UserGrantRole: {
        path: '/v3/auth/user/grant',
        request: 'AuthUserGrantRoleRequest',
        response: 'AuthUserGrantRoleResponse',
      },
      UserRevokeRole: {
        path: '/v3/auth/user/revoke',
        request: 'AuthUserRevokeRoleRequest',
        response: 'AuthUserRevokeRoleResponse',
      },
      RoleAdd: { path: '/v3/auth/role/add', request: 'AuthRoleAddRequest', response: 'AuthRoleAddResponse' },
      RoleGet: { path: '/v3/auth/role/get', request: 'AuthRoleGetRequest', response: 'AuthRoleGetResponse' },
      RoleList: {
        path: '/v3/auth/role/list',
        request: 'AuthRoleListRequest',
        response: 'AuthRoleListResponse',
      },
      RoleDelete: {
        path: '/v3/auth/role/delete',
        request: 'AuthRoleDeleteRequest',
        response: 'AuthRoleDeleteResponse',
      },
      RoleGrantPermission: {
        path: '/v3/auth/role/grant',
        request: 'AuthRoleGrantPermissionRequest',
        response: 'AuthRoleGrantPermissionResponse',
      },
      RoleRevokePermission: {
        path: '/v3/auth/role/revoke',
        request: 'AuthRoleRevokePermissionRequest',
        response: 'AuthRoleRevokePermissionResponse',
      },
    },
  },
  Lock: {
    package: 'v3lockpb',
    methods: {
      Lock: { path: '/v3/lock/lock', request: 'LockRequest', response: 'LockResponse' },
      Unlock: { path: '/v3/lock/unlock', request: 'UnlockRequest', response: 'UnlockResponse' },
    },
  },
  Election: {
    package: 'v3electionpb',
    methods: {
      Campaign: { path: '/v3/election/campaign', request: 'CampaignRequest', response: 'CampaignResponse' },
      Proclaim: { path: '/v3/election/proclaim', request: 'ProclaimRequest', response: 'ProclaimResponse' },
      Leader: { path: '/v3/election/leader', request: 'LeaderRequest', response: 'LeaderResponse' },
      Observe: {
        path: '/v3/election/observe',
        request: 'LeaderRequest',
        response: 'LeaderResponse',
        stream: 'answers',
      },
      Resign: { path: '/v3/election/resign', request: 'ResignRequest', response: 'ResignResponse' },
    },
  },
} as const satisfies Readonly<Record<string, Service>>;

type Services = typeof services;
/** The services of a member, by etcd's names. */
export type ServiceName = keyof Services;
export type MethodName<S extends ServiceName> = keyof Services[S]['methods'] & string;
type MethodOf<S extends ServiceName, M extends MethodName<S>> = Services[S]['methods'][M] & Method;

/** The methods that are answered once, each of which the gateway has. */
export type UnaryName<S extends ServiceName> = {
  [M in MethodName<S>]: MethodOf<S, M> extends { readonly stream: string } ? never : M;
}[MethodName<S>];
/** One of these. */
export type UnaryMethod = Method & { readonly path: string };
/** Whether answers of a method may come without a header. */
export type Headless<S extends ServiceName, M extends MethodName<S>> =
  MethodOf<S, M> extends { readonly headless: true } ? true : false;

/** What a method is asked with. */
export type RequestOf<S extends ServiceName, M extends MethodName<S>> = Message<MethodOf<S, M>['request']>;
/** What a method answers with; of a stream, each of its messages. */
export type AnswerOf<S extends ServiceName, M extends MethodName<S>> = Answer<MethodOf<S, M>['response']>;

/** What is known of a method. */
export function methodOf<S extends ServiceName, M extends MethodName<S>>(
  service: S,
  name: M,
): MethodOf<S, M> {
  const methods: Services[S]['methods'] = services[service].methods;
  return methods[name] as MethodOf<S, M>;
}

/** The methods of a service that are answered once. */
export const unaryNames = (service: ServiceName): readonly string[] =>
  Object.entries<Method>(services[service].methods)
    .filter(([, { stream, path }]) => stream === undefined && path !== undefined)
    .map(([name]) => name);
