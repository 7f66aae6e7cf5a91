import {
  EtcdApiError,
  EtcdErrorCode,
  isEtcdApiError,
  isInvalidOption,
  isKeyNotFound,
  type EtcdClient,
} from 'rxetcd';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';

const keys = keysUnderTest();
const { server, set } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('get$', () => {
  test('a missing key is an error that says all that etcd says', async () => {
    const { node } = await set(`${key}/sibling`, 'v');
    const error = await rejectionOf(client.get$(`${key}/missing`));
    expect(isKeyNotFound(error)).toBe(true);
    expect(error).toBeInstanceOf(EtcdApiError);
    expect(error).toMatchObject({
      name: 'EtcdApiError',
      code: 'API_ERROR',
      errorCode: EtcdErrorCode.KeyNotFound,
      reason: `${key}/missing`,
      index: node.modifiedIndex,
      status: 404,
      endpoint: server.url,
    });
  });

  test('an error holds its try with the answer', async () => {
    const before = Date.now();
    const error = (await rejectionOf(client.get$(key))) as EtcdApiError;
    expect(error.attempts).toEqual([
      {
        endpoint: server.url,
        error: expect.stringContaining('Key not found') as string,
        status: 404,
        body: expect.stringContaining('"errorCode":100') as string,
        at: expect.any(Date) as Date,
        durationMs: expect.any(Number) as number,
      },
    ]);
    const [{ at, durationMs } = { at: new Date(0), durationMs: -1 }] = error.attempts;
    expect(at.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(durationMs).toBeGreaterThan(0);
    expect(error.message.split('\n')).toHaveLength(2);
    expect(error.message).toContain(key);
  });
});

test('an error of etcd is told from all others', async () => {
  const missing = await rejectionOf(client.get$(key));
  const refused = await rejectionOf(client.set$(key, 'v', { ttl: -1 }));
  expect([missing, refused].map(isEtcdApiError)).toEqual([true, false]);
  expect([missing, refused].map(isInvalidOption)).toEqual([false, true]);
});
