import { throwError } from 'rxjs';
import type { RetryClass } from '../../lib/cluster/retry-class.js';
import {
  AllNodesDownError,
  EtcdApiError,
  EtcdError,
  OutcomeUnknownError,
  RequestTimeoutError,
  TlsError,
} from '../../lib/errors.js';
import { resolveOptions } from '../../lib/options.js';
import {
  errorsOf,
  fault,
  outcomes,
  scriptedCluster,
  type Outcome,
  type ScriptedCall,
} from './scripted-cluster.js';

const scripted = scriptedCluster();
const { settled, run } = scripted;

const containing = (text: string): unknown => expect.stringContaining(text);

describe('the error in the end, without a retry', () => {
  const write: RetryClass[] = ['once', 'idempotent'];
  const read: RetryClass[] = ['read', 'leader-read', 'quorum-read'];
  const rows: [Outcome, RetryClass[], typeof EtcdError | typeof AllNodesDownError, object][] = [
    ['refused', [...read, ...write], AllNodesDownError, { reason: 'unreachable' }],
    ['timeout before it was sent', [...read, ...write], RequestTimeoutError as never, { timeoutMs: 100 }],
    ['redirected (307)', [...read, ...write], AllNodesDownError, { reason: 'no-quorum' }],
    ['a TLS failure', [...read, ...write], TlsError, { message: containing('TLS failed: TLS') }],
    ['who answers is to be verified', [...read, ...write], AllNodesDownError, { reason: 'unreachable' }],
    // The others live.
    ['reset', read, EtcdError, { code: 'UNEXPECTED_RESPONSE', message: containing('RESET') }],
    ['reset', write, OutcomeUnknownError, { message: containing('unknown: RESET') }],
    ['timeout after it was sent', read, RequestTimeoutError as never, { timeoutMs: 100 }],
    ['timeout after it was sent', write, OutcomeUnknownError, { message: containing('TIMEOUT') }],
    ['errorCode 300', read, AllNodesDownError, { reason: 'no-quorum' }],
    ['errorCode 300', write, OutcomeUnknownError, { message: containing('300') }],
    ['an unintelligible answer', read, EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an unintelligible answer', write, OutcomeUnknownError, {}],
    ['an interceptor that throws', [...read, ...write], EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an adapter that fails', read, EtcdError, { code: 'UNEXPECTED_RESPONSE' }],
    ['an adapter that fails', write, OutcomeUnknownError, {}],
    ['an error of etcd', [...read, ...write], EtcdApiError as never, { errorCode: 100 }],
  ];
  const table = rows.flatMap(([outcome, classes, type, more]) =>
    classes.map((retryClass) => [outcome, retryClass, type.name, type, more] as const),
  );
  test.each(table)('%s, %s: %s', async (outcome, retryClass, _, type, more) => {
    await settled();
    const call = run([outcome], retryClass, { retry: { max: 0 } });
    await jest.advanceTimersByTimeAsync(5);
    expect(call.sends).toHaveLength(1);
    expect(call.error).toBeInstanceOf(type);
    expect(call.error).toMatchObject(more);
    expect(call.error).toMatchObject({
      endpoint: call.sends[0]?.endpoint,
      attempts: [{ endpoint: call.sends[0]?.endpoint, error: outcomes[outcome].message, durationMs: 5 }],
    });
    expect(call.error).not.toHaveProperty('cause');
  });

  test('an attempt that was answered shows status and the first 500 characters of the body', async () => {
    await settled();
    const long = fault('502', { status: 502, body: 'x'.repeat(10_000), executed: 'unknown' });
    const spec: ScriptedCall<never> = {
      operation: 'op',
      retryClass: 'read',
      settings: resolveOptions({ retry: { max: 0 } }),
      send: () => throwError(() => long),
    };
    let error: unknown;
    scripted.call$(spec).subscribe({ error: (e: unknown) => (error = e) });
    expect((error as EtcdError).attempts[0]).toMatchObject({ status: 502, body: 'x'.repeat(500) });
  });

  test.each([1, 2, 5])('retry.max %i allows that many more tries', async (max) => {
    await settled();
    const call = run(['refused'], 'read', { retry: { max } });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(call.sends).toHaveLength(max + 1);
    expect(errorsOf(call)).toEqual(Array(max + 1).fill('ECONNREFUSED'));
  });

  test('an unknown outcome is not forgotten: a later certain failure does not hide it', async () => {
    await settled();
    const call = run(['reset', 'refused'], 'idempotent', { retry: { writes: 'idempotent', max: 1 } });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(errorsOf(call)).toEqual(['RESET', 'ECONNREFUSED']);
    expect(call.error).toBeInstanceOf(OutcomeUnknownError);
  });

  test('a bug of ours is not dressed up as something else', async () => {
    await settled();
    const bug = new RangeError('bug');
    const settings = resolveOptions();
    let error: unknown;
    scripted
      .call$({
        operation: 'op',
        retryClass: 'read',
        settings,
        send: () => throwError(() => bug),
      })
      .subscribe({
        error: (e: unknown) => (error = e),
      });
    expect(error).toBe(bug);
  });
});
