import { expectTypeOf } from 'expect-type';
import {
  EtcdErrorCode,
  ofAction,
  watchEvents,
  type ChangeEvent,
  type ClientEvent,
  type LossReason,
  type LostEvents,
  type ResyncEvent,
  type SyncEvent,
  type WatchEvent,
  type WatchStageEvent,
} from 'rxetcd';
import { filter, type Observable } from 'rxjs';

// Checked when this file is compiled: by Jest and by `npm run typecheck`.
describe('the events of a watch', () => {
  it('are told apart by their action', () => {
    const told = (event: WatchEvent) => {
      switch (event.action) {
        case 'sync':
          return expectTypeOf(event).toEqualTypeOf<SyncEvent>();
        case 'resync':
          expectTypeOf(event.lost).toEqualTypeOf<LostEvents>();
          expectTypeOf(event.lost.from).toEqualTypeOf<number>();
          expectTypeOf(event.lost.reason).toEqualTypeOf<LossReason>();
          // A range where it means something: of the same store.
          if (event.lost.reason === 'cleared') expectTypeOf(event.lost.to).toEqualTypeOf<number>();
          else expectTypeOf(event.lost.to).toEqualTypeOf<undefined>();
          return expectTypeOf(event).toEqualTypeOf<ResyncEvent>();
        default:
          expectTypeOf(event.prevNode).toEqualTypeOf<ChangeEvent['prevNode']>();
          return expectTypeOf(event).toEqualTypeOf<ChangeEvent>();
      }
    };
    expectTypeOf(told).parameter(0).toEqualTypeOf<WatchEvent>();
    expectTypeOf<WatchEvent['action']>().toEqualTypeOf<
      | 'sync'
      | 'resync'
      | 'set'
      | 'create'
      | 'update'
      | 'delete'
      | 'expire'
      | 'compareAndSwap'
      | 'compareAndDelete'
    >();
  });

  it('hold what was lost only where something was', () => {
    // @ts-expect-error only a resync has lost anything
    const lost = (event: WatchEvent): unknown => event.lost;
    // @ts-expect-error the state at the start has nothing before it
    const before = (event: SyncEvent): unknown => event.prevNode;
    expect([lost, before]).toHaveLength(2);
  });

  it('are narrowed by ofAction', () => {
    const changed = (events$: Observable<WatchEvent>) => events$.pipe(ofAction('set', 'delete'));
    expectTypeOf(changed).returns.toExtend<Observable<ChangeEvent & { action: 'set' | 'delete' }>>();
    const synced = (events$: Observable<WatchEvent>) => events$.pipe(ofAction('resync'));
    expectTypeOf(synced).returns.toExtend<Observable<ResyncEvent>>();
    expectTypeOf(synced).returns.not.toExtend<Observable<SyncEvent>>();

    // @ts-expect-error etcd has no such action
    expect(ofAction('remove')).toBeInstanceOf(Function);
  });
});

describe('the events of a client', () => {
  type Of<T extends ClientEvent['type']> = Extract<ClientEvent, { readonly type: T }>;

  it('are told apart by their type', () => {
    const told = (event: ClientEvent) => {
      if (event.type === 'response') expectTypeOf(event.status).toEqualTypeOf<number | undefined>();
      if (event.type === 'retry') expectTypeOf(event.attempt).toEqualTypeOf<number>();
      if (event.type === 'failover') expectTypeOf(event.to).toEqualTypeOf<string>();
      if (event.type === 'member-down' || event.type === 'member-up')
        expectTypeOf(event.member.name).toEqualTypeOf<string>();
      if (event.type === 'watch-resync') expectTypeOf(event.lost.from).toEqualTypeOf<number>();
      // @ts-expect-error no event holds a body
      return event.body as unknown;
    };
    expectTypeOf(told).parameter(0).toEqualTypeOf<ClientEvent>();
    expectTypeOf<ClientEvent['at']>().toEqualTypeOf<Date>();
  });

  it('are a union on type: each name belongs to one shape', () => {
    expectTypeOf<ClientEvent['type']>().toEqualTypeOf<
      | 'request'
      | 'response'
      | 'retry'
      | 'failover'
      | 'leader-change'
      | 'member-down'
      | 'member-up'
      | 'partial-view'
      | 'cluster-down'
      | 'cluster-up'
      | 'no-v2-api'
      | 'no-v3-api'
      | 'hint'
      | 'member-list-cut'
      | 'watch-live'
      | 'watch-catching-up'
      | 'watch-waiting'
      | 'watch-lost'
      | 'watch-resync'
      | 'watch-ended'
    >();
    expectTypeOf<Of<'watch-ended'>['durationMs']>().toEqualTypeOf<number>();
  });

  it('are narrowed by a filter on several types', () => {
    const members = (events$: Observable<ClientEvent>) =>
      events$.pipe(filter((event) => event.type === 'member-down' || event.type === 'member-up'));
    expectTypeOf(members).returns.toEqualTypeOf<Observable<Of<'member-down' | 'member-up'>>>();
  });

  it('are narrowed to the stages of a watch by watchEvents', () => {
    const stages = (events$: Observable<ClientEvent>) => events$.pipe(watchEvents('/svc'));
    expectTypeOf(stages).returns.toEqualTypeOf<Observable<WatchStageEvent>>();
    expectTypeOf<Exclude<WatchStageEvent['type'], `watch-${string}`>>().toBeNever();
    expectTypeOf<WatchStageEvent['id']>().toEqualTypeOf<number>();
  });
});

it("etcd's error codes are literals, not numbers", () => {
  expectTypeOf(EtcdErrorCode.KeyNotFound).toEqualTypeOf<100>();
});
