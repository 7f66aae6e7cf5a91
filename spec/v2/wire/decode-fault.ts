import { Fault, type FaultConfig } from '../../../lib/cluster/fault.js';
import type { Attempt, EtcdApiError, EtcdError, UnsupportedByServerError } from '../../../lib/errors.js';
import { decodeKeys, type Answer as Given } from '../../../lib/v2/wire/decode.js';

/** The Fault that decoding throws; fails if it throws none. */
export function faultFrom(
  status: number,
  body: string,
  exchange: Partial<Given> = {},
  decode: (answer: Given) => unknown = decodeKeys,
): Fault {
  try {
    decode({ operation: 'get /a', status, body, ...exchange });
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return error as Fault;
  }
  throw new Error('nothing was thrown');
}

const attempts: Attempt[] = [{ endpoint: 'http://a', error: 'x', at: new Date(0), durationMs: 1 }];
export const details = { endpoint: 'http://a', attempts };

/** The body of an error of etcd. */
export const api = (errorCode: number, message = 'Key not found', cause = '/a', index = 7) =>
  JSON.stringify({ errorCode, message, cause, index });

export const containing = (text: string): unknown => expect.stringContaining(text);
export const unexpected = { code: 'UNEXPECTED_RESPONSE' };

/** An answer, and what it must mean. */
export type Answer = [
  name: string,
  status: number,
  body: string,
  executed: FaultConfig['executed'],
  leaderless: boolean,
  summary: string,
  type: typeof EtcdError | typeof EtcdApiError | typeof UnsupportedByServerError,
  more: object,
];

export function expectMeaning(
  [, status, body, executed, leaderless, summary, type, more]: Answer,
  decode?: (answer: Given) => unknown,
): void {
  const { config, message } = faultFrom(status, body, {}, decode);
  expect(message).toBe(summary);
  expect([config.executed, config.leaderless ?? false]).toEqual([executed, leaderless]);
  expect([config.status, config.body]).toEqual([status, body]);
  const error = config.toError(details);
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject({ ...more, attempts, endpoint: 'http://a' });
  expect(error.message).toContain('get /a');
}
