import type { RawAnswer } from './raw-exchange.js';

/** Headers whose values are a server's own. */
const own = new Set(['date', 'x-etcd-cluster-id', 'x-raft-index']);
const expiry = /"expiration":"([^"]*)"(?:,"ttl":(-?\d+))?/g;

export interface Comparable {
  status: number;
  headers: readonly string[];
  body: string;
  /** When each node with a TTL in the body expires, in ms. */
  expirations: number[];
}

interface Node {
  key?: string;
  nodes?: Node[];
}

/** What must be the same of two servers' answers. Listings are put into order unless they were asked for in order. */
export function comparable({ status, headers, body }: RawAnswer, sorted = false): Comparable {
  const expirations = [...body.matchAll(expiry)].map(([, time = '']) => Date.parse(time));
  const blind = body.replace(expiry, (_, __, ttl) => `"expiration":""${ttl === undefined ? '' : ',"ttl":0'}`);
  return {
    status,
    headers: withoutOwn(headers, expirations.length > 0 || body === ''),
    body: sorted || !blind.includes('"nodes":') ? blind : inOrder(blind),
    expirations: sorted ? expirations : expirations.sort((a, b) => a - b),
  };
}

/** @param vague the length is not known to be the same: a time has up to nine decimals, and HEAD does not show it */
const withoutOwn = (headers: readonly string[], vague: boolean): string[] =>
  headers.map((value, i) => {
    const name = i % 2 === 1 ? headers[i - 1]!.toLowerCase() : '';
    return own.has(name) || (vague && name === 'content-length' && value !== '0') ? '' : value;
  });

function inOrder(body: string): string {
  const sort = (node: Node): void => {
    node.nodes?.sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
    node.nodes?.forEach(sort);
  };
  const event = JSON.parse(body) as { node: Node };
  sort(event.node);
  return JSON.stringify(event);
}

/** Expects the same answer; times may differ by the seconds between the two requests. */
export function expectAlike(embedded: Comparable, real: Comparable): void {
  const { expirations: times, ...rest } = embedded;
  const { expirations: realTimes, ...realRest } = real;
  expect(rest).toEqual(realRest);
  expect(times).toHaveLength(realTimes.length);
  times.forEach((time, i) => expect(Math.abs(time - realTimes[i]!)).toBeLessThan(10_000));
}
