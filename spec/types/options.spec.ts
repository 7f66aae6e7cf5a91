import { expectTypeOf } from 'expect-type';
import {
  EtcdClient,
  isEtcdApiError,
  isKeyNotFound,
  type ClientOptions,
  type CompareAndDeleteOptions,
  type CompareAndSwapOptions,
  type EtcdApiError,
} from 'rxetcd';

const client = new EtcdClient();
afterAll(() => client.close());

// Checked when this file is compiled: by Jest and by `npm run typecheck`. Nothing is subscribed, so nothing is sent.
describe('the conditions of an atomic call', () => {
  it('are the value, the index or both', () => {
    expect([
      client.compareAndSwap$('/k', 'v', { prevValue: 'u' }),
      client.compareAndSwap$('/k', 'v', { prevIndex: 7, ttl: 5 }),
      client.compareAndSwap$('/k', 'v', { prevValue: 'u', prevIndex: 7 }),
      client.compareAndDelete$('/k', { prevValue: 'u' }),
      client.compareAndDelete$('/k', { prevIndex: 7 }),
      client.compareAndDelete$('/k', { prevValue: 'u', prevIndex: 7, deadline: 100 }),
    ]).toHaveLength(6);
    // What a variable may hold, as under exactOptionalPropertyTypes.
    expectTypeOf<{ prevValue: string; prevIndex: number | undefined }>().toExtend<CompareAndSwapOptions>();
    expectTypeOf<{ prevValue: string | undefined; prevIndex: number }>().toExtend<CompareAndDeleteOptions>();
  });

  it('cannot all be missing', () => {
    expect([
      // @ts-expect-error no condition
      client.compareAndSwap$('/k', 'v', {}),
      // @ts-expect-error no condition
      client.compareAndSwap$('/k', 'v', { ttl: 5 }),
      // @ts-expect-error a condition that may be none
      client.compareAndSwap$('/k', 'v', { prevValue: undefined }),
      // @ts-expect-error no options at all
      client.compareAndDelete$('/k'),
      // @ts-expect-error no condition
      client.compareAndDelete$('/k', { timeout: 100 }),
    ]).toHaveLength(5);
  });
});

describe('the options', () => {
  it('of the client may all be left out, or be undefined', () => {
    expectTypeOf<object>().toExtend<ClientOptions>();
    expectTypeOf<{ heartbeat: undefined; auth: undefined; axios: undefined }>().toExtend<ClientOptions>();
    expectTypeOf<false | 1_000>().toExtend<ClientOptions['heartbeat']>();
    expectTypeOf<true>().not.toExtend<ClientOptions['heartbeat']>();
  });

  it('are checked by name', () => {
    expect([
      // @ts-expect-error is misspelt
      () => new EtcdClient({ endpoint: 'localhost:2379' }),
      // @ts-expect-error belongs to set$
      client.get$('/k', { ttl: 5 }),
      // @ts-expect-error wants a number of seconds
      client.refresh$('/k', '5'),
      // @ts-expect-error is neither
      client.set$('/k', 'v', { retry: { writes: 'always' } }),
    ]).toHaveLength(4);
  });
});

it('a guard narrows what was caught', () => {
  const told = (error: unknown) => {
    if (isKeyNotFound(error)) expectTypeOf(error).toExtend<EtcdApiError>();
    return isEtcdApiError(error) ? error.errorCode : undefined;
  };
  expectTypeOf(told).returns.toEqualTypeOf<EtcdApiError['errorCode'] | undefined>();
});
