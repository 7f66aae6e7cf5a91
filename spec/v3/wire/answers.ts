import { Fault } from '../../../lib/cluster/fault.js';
import type { Attempt, EtcdError } from '../../../lib/errors.js';
import { decodeAnswer, type GatewayAnswer } from '../../../lib/v3/wire/gateway-answer.js';
import { methodOf, type Method } from '../../../lib/v3/wire/methods.js';

/** A header as any member writes it. */
export const header = { cluster_id: '14841639068965178418', member_id: '10', revision: '7', raft_term: '2' };

const attempts: Attempt[] = [{ endpoint: 'http://a', error: 'x', at: new Date(0), durationMs: 1 }];

/** The Fault that reading an answer throws; fails if it throws none. */
export function faultFrom(
  status: number,
  body: unknown,
  exchange: Partial<GatewayAnswer> = {},
  method: Method = methodOf('KV', 'Range'),
): Fault {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    decodeAnswer({ operation: 'get a', status, body: text, ...exchange }, method);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return error as Fault;
  }
  throw new Error('nothing was thrown');
}

export const errorFrom = (...answer: Parameters<typeof faultFrom>): EtcdError =>
  faultFrom(...answer).config.toError({ endpoint: 'http://a', attempts });

/** The bodies of an error, by who writes them. */
export const errorBodies: Readonly<Record<string, (code: number, message: string) => unknown>> = {
  'etcd 3.6 and 3.7, Debian 3.5': (code, message) => ({ code, message, details: [] }),
  'etcd 3.4, upstream 3.5': (code, message) => ({ error: message, message, code }),
  'a stream of etcd 3.6': (code, message) => ({ error: { code, message } }),
  'a stream of etcd 3.4': (code, message) => ({
    error: { grpc_code: code, http_code: 400, message, http_status: 'Bad Request' },
  }),
};
