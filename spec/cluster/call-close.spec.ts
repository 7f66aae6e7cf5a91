import type { RetryClass } from '../../lib/cluster/retry-class.js';
import { ClientClosedError } from '../../lib/errors.js';
import { a, b, c, errorsOf, refused, scriptedCluster } from './scripted-cluster.js';

const scripted = scriptedCluster();
const { settled, run } = scripted;

describe('closing the client', () => {
  const all: RetryClass[] = ['read', 'leader-read', 'quorum-read', 'once', 'idempotent'];

  test.each(all)('a %s in flight fails and is cancelled', async (retryClass) => {
    await settled();
    const call = run(['silence'], retryClass);
    await jest.advanceTimersByTimeAsync(10);
    scripted.cluster.close();
    expect(call.error).toBeInstanceOf(ClientClosedError);
    expect((call.error as Error).message).toContain('op /a');
    expect(call.sends).toMatchObject([{ gone: true }]);
  });

  test.each(all)('a later %s fails and sends nothing', async (retryClass) => {
    await settled();
    scripted.cluster.close();
    const call = run(['ok'], retryClass);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([call.error, call.sends]).toEqual([expect.any(ClientClosedError), []]);
  });

  test('a write at the gate fails and sends nothing', async () => {
    scripted.words = { [a]: null, [b]: null, [c]: null };
    const call = run(['ok'], 'once');
    await jest.advanceTimersByTimeAsync(100);
    scripted.cluster.close();
    expect([call.error, call.sends]).toEqual([expect.any(ClientClosedError), []]);
  });

  test('between two tries too, with the tries that were made', async () => {
    await settled();
    scripted.words = { [a]: refused, [b]: a, [c]: a };
    const call = run(['refused'], 'once');
    await jest.advanceTimersByTimeAsync(100);
    scripted.cluster.close();
    expect(call.error).toBeInstanceOf(ClientClosedError);
    expect(errorsOf(call)).toEqual(['ECONNREFUSED']);
  });
});
