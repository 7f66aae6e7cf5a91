import { expectTypeOf } from 'expect-type';
import {
  EtcdClient,
  type AuthApi,
  type AuthChange,
  type AuthRole,
  type AuthStatus,
  type AuthUser,
  type ListedRole,
  type ListedUser,
  type AuthUserRoles,
  type ClientEvent,
  type ClusterState,
  type ClusterState$,
  type KeyResponse,
  type LeaderStats,
  type Member,
  type MemberHealth,
  type MemberInfo,
  type MembersApi,
  type MemberStats,
  type MemberVersion,
  type OpenWatch,
  type RawResponse,
  type SelfStats,
  type ServerVersion,
  type StatsApi,
  type StoreStats,
  type WatchEvent,
} from 'rxetcd';
import type { Observable, Subscription } from 'rxjs';

/** What a call emits. */
type Emits<Call> = Call extends (...args: never[]) => Observable<infer T> ? T : never;
type Client = EtcdClient;

// Checked when this file is compiled: by Jest and by `npm run typecheck`. Running them asks nothing more.
describe('what the public calls emit', () => {
  it('keys, atomic operations and directories: an answer with its node', () => {
    type KeyCalls =
      | 'get$'
      | 'set$'
      | 'create$'
      | 'update$'
      | 'refresh$'
      | 'createInOrder$'
      | 'delete$'
      | 'compareAndSwap$'
      | 'compareAndDelete$'
      | 'setDir$'
      | 'createDir$'
      | 'updateDir$'
      | 'createDirInOrder$'
      | 'deleteDir$';
    expectTypeOf<{ [K in KeyCalls]: Emits<Client[K]> }>().toEqualTypeOf<Record<KeyCalls, KeyResponse>>();
    expectTypeOf<Emits<Client['getValue$']>>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Emits<Client['exists$']>>().toEqualTypeOf<boolean>();
    expectTypeOf<KeyResponse['node']['value']>().toEqualTypeOf<string | undefined>();
  });

  it('watches and what is known of them', () => {
    expectTypeOf<Emits<Client['watch$']>>().toEqualTypeOf<WatchEvent>();
    expectTypeOf<Emits<Client['watchOnce$']>>().toEqualTypeOf<WatchEvent>();
    expectTypeOf<Client['watches$']>().toEqualTypeOf<Observable<readonly OpenWatch[]>>();
    expectTypeOf<Client['events$']>().toEqualTypeOf<Observable<ClientEvent>>();
  });

  it('the cluster', () => {
    expectTypeOf<Client['clusterState$']>().toEqualTypeOf<ClusterState$>();
    expectTypeOf<Client['clusterState$']['value']>().toEqualTypeOf<ClusterState>();
    expectTypeOf<Emits<Client['leader$']>>().toEqualTypeOf<Member | undefined>();
    expectTypeOf<Emits<Client['refreshCluster$']>>().toEqualTypeOf<ClusterState>();
    expectTypeOf<Client['endpoints']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Emits<(typeof EtcdClient)['connect$']>>().toEqualTypeOf<EtcdClient>();
    expectTypeOf<Emits<Client['machines$']>>().toEqualTypeOf<string[]>();
    expectTypeOf<Emits<Client['version$']>>().toEqualTypeOf<ServerVersion>();
    expectTypeOf<Emits<Client['versions$']>>().toEqualTypeOf<MemberVersion>();
    expectTypeOf<Emits<Client['health$']>>().toEqualTypeOf<MemberHealth>();
  });

  it('members', () => {
    expectTypeOf<Emits<MembersApi['list$']>>().toEqualTypeOf<MemberInfo[]>();
    expectTypeOf<Emits<MembersApi['leader$']>>().toEqualTypeOf<MemberInfo>();
    expectTypeOf<Emits<MembersApi['add$']>>().toEqualTypeOf<MemberInfo>();
    expectTypeOf<Emits<MembersApi['update$']>>().toBeVoid();
    expectTypeOf<Emits<MembersApi['remove$']>>().toBeVoid();
  });

  it('statistics, of one member or of each', () => {
    const read = (stats: StatsApi) => ({
      leader: stats.leader$(),
      self: stats.self$({ each: false }),
      store: stats.store$({ timeout: 100 }),
      leaders: stats.leader$({ each: true }),
      selves: stats.self$({ each: true }),
      stores: stats.store$({ each: true, timeout: 100 }),
    });
    expectTypeOf(read).returns.toEqualTypeOf<{
      leader: Observable<LeaderStats>;
      self: Observable<SelfStats>;
      store: Observable<StoreStats>;
      leaders: Observable<MemberStats<LeaderStats>>;
      selves: Observable<MemberStats<SelfStats>>;
      stores: Observable<MemberStats<StoreStats>>;
    }>();
  });

  it('authentication', () => {
    expectTypeOf<Emits<AuthApi['status$']>>().toEqualTypeOf<AuthStatus>();
    expectTypeOf<Emits<AuthApi['enable$'] | AuthApi['disable$']>>().toEqualTypeOf<AuthChange>();
    expectTypeOf<Emits<AuthApi['users$']>>().toEqualTypeOf<ListedUser[]>();
    expectTypeOf<Emits<AuthApi['user$']>>().toEqualTypeOf<AuthUser>();
    expectTypeOf<Emits<AuthApi['createUser$'] | AuthApi['updateUser$']>>().toEqualTypeOf<AuthUserRoles>();
    expectTypeOf<Emits<AuthApi['roles$']>>().toEqualTypeOf<ListedRole[]>();
    expectTypeOf<
      Emits<AuthApi['role$'] | AuthApi['createRole$'] | AuthApi['updateRole$']>
    >().toEqualTypeOf<AuthRole>();
    expectTypeOf<Emits<AuthApi['deleteUser$'] | AuthApi['deleteRole$']>>().toBeVoid();
  });

  it('raw calls: data that has to be looked at before it is used', () => {
    expectTypeOf<Emits<Client['raw$']>>().toEqualTypeOf<RawResponse>();
    expectTypeOf<RawResponse['data']>().toBeUnknown();
    expectTypeOf<ReturnType<Client['logEvents']>>().toEqualTypeOf<Subscription>();
    expectTypeOf<ReturnType<Client['close']>>().toBeVoid();
  });

  it('nothing else: a call that is new wants its line above', () => {
    type Named<T> = Extract<keyof T, `${string}$`>;
    expectTypeOf<
      Exclude<Named<Client>, `${'create' | 'set' | 'update' | 'delete'}${string}$`>
    >().toEqualTypeOf<
      | 'clusterState$'
      | 'compareAndDelete$'
      | 'compareAndSwap$'
      | 'events$'
      | 'exists$'
      | 'get$'
      | 'getValue$'
      | 'health$'
      | 'leader$'
      | 'machines$'
      | 'raw$'
      | 'refresh$'
      | 'refreshCluster$'
      | 'version$'
      | 'versions$'
      | 'watch$'
      | 'watches$'
      | 'watchOnce$'
    >();
  });
});
