import { expectTypeOf } from 'expect-type';
import type { Observable } from 'rxjs';
import {
  compare,
  op,
  type DeleteResult,
  type EtcdClient,
  type GetResult,
  type Operation,
  type Operations,
  type PutOperation,
  type PutResult,
  type RangeResult,
  type ResponseInfo,
  type TxnResponse,
} from 'rxetcd/v3';

type Emits<T> = T extends Observable<infer V> ? V : never;

// Checked when this file is compiled: by Jest and by `npm run typecheck`. Running them asks nothing more.
describe('what a transaction emits', () => {
  const typed = (client: EtcdClient) => ({
    both: client.txn$({
      if: [compare.exists('a')],
      then: [op.put('a', 'b'), op.get('a'), op.range({ prefix: 'a' }), op.delete('a')],
      else: [op.get('a')],
    }),
    none: client.txn$({}),
    read: client.txn$({ then: [op.get('a')] }, { serializable: true }),
    nested: client.txn$({
      then: [op.get('a'), op.txn({ then: [op.put('a', 'b')], else: [op.txn({ else: [op.delete('a')] })] })],
    }),
    many: (operations: PutOperation[]) => client.txn$({ then: operations, else: operations }),
    any: (operations: Operations) => client.txn$({ then: operations }),
    oneOfTwo: (isPut: boolean) => client.txn$({ then: [isPut ? op.put('a', 'b') : op.get('a')] }),
  });
  expectTypeOf(typed).toBeFunction();
  type Typed = ReturnType<typeof typed>;

  it('a response for each operation, by the list that was done', () => {
    type Both = Emits<Typed['both']>;
    type Succeeded = Extract<Both, { succeeded: true }>;
    type Failed = Extract<Both, { succeeded: false }>;
    expectTypeOf<Both['info']>().toEqualTypeOf<ResponseInfo>();
    expectTypeOf<Succeeded['responses']>().toEqualTypeOf<
      readonly [PutResult, GetResult, RangeResult, DeleteResult]
    >();
    expectTypeOf<Failed['responses']>().toEqualTypeOf<readonly [GetResult]>();
    const told = (r: Both) => (r.succeeded ? r.responses[0].prevKv : r.responses[0].kv);
    expectTypeOf(told).returns.toEqualTypeOf<GetResult['kv']>();
    // @ts-expect-error the failure has one response
    expectTypeOf((r: Failed) => r.responses[1]).returns.toBeUndefined();
  });

  it('nothing for lists that are left out', () => {
    expectTypeOf<Emits<Typed['none']>['responses']>().toEqualTypeOf<readonly []>();
    expectTypeOf<Emits<Typed['read']>['responses']>().toEqualTypeOf<readonly [GetResult] | readonly []>();
  });

  it('the same of a transaction within it', () => {
    type Outer = Extract<Emits<Typed['nested']>, { succeeded: true }>['responses'];
    expectTypeOf<Outer['length']>().toEqualTypeOf<2>();
    type Inner = Outer[1];
    expectTypeOf<Extract<Inner, { succeeded: true }>['responses']>().toEqualTypeOf<readonly [PutResult]>();
    type Innermost = Extract<Inner, { succeeded: false }>['responses'][0];
    expectTypeOf<Extract<Innermost, { succeeded: false }>['responses']>().toEqualTypeOf<
      readonly [DeleteResult]
    >();
    expectTypeOf<Inner>().not.toHaveProperty('info');
  });

  it('of lists that are made at run time, one kind or all', () => {
    type Many = Emits<ReturnType<Typed['many']>>;
    expectTypeOf<Many['responses']>().toEqualTypeOf<readonly PutResult[]>();
    type Any = Extract<Emits<ReturnType<Typed['any']>>, { succeeded: true }>['responses'][number];
    expectTypeOf<PutResult | GetResult | RangeResult | DeleteResult>().toExtend<Any>();
    type Two = Extract<Emits<ReturnType<Typed['oneOfTwo']>>, { succeeded: true }>['responses'];
    expectTypeOf<Two>().toEqualTypeOf<readonly [PutResult | GetResult]>();
    expectTypeOf<TxnResponse['info']>().toEqualTypeOf<ResponseInfo>();
  });

  it('of nothing but operations and comparisons', () => {
    const refused = (client: EtcdClient) => [
      // @ts-expect-error a comparison is not finished
      client.txn$({ if: [compare.version('a')] }),
      // @ts-expect-error an operation under `if`
      client.txn$({ if: [op.get('a')] }),
      // @ts-expect-error a comparison under `then`
      client.txn$({ then: [compare.exists('a')] }),
      // @ts-expect-error etcd's name
      client.txn$({ success: [] }),
    ];
    expectTypeOf(refused).toBeFunction();
    expectTypeOf(op.put('a', 'b')).toExtend<Operation>();
    // @ts-expect-error of the whole transaction
    op.get('a', { serializable: true });
    // @ts-expect-error a lease has no order
    expectTypeOf(compare.lease('a')).toHaveProperty('greaterThan');
    // @ts-expect-error a version is a number
    compare.version('a').equals('1');
  });
});
