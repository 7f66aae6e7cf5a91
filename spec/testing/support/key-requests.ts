import * as fc from 'fast-check';
import type { RawRequest } from './raw-exchange.js';

/** A request below a directory of its own, whose indexes count from the run's first. */
export interface KeyRequest extends Omit<RawRequest, 'target' | 'body'> {
  path: string;
  query: [string, string][];
  form?: [string, string][];
  /** In place of a form. */
  text?: string;
}

const segments = [
  'a',
  'b',
  'c',
  '_h',
  '%C3%BC',
  'x%20y',
  '%3C&%3E',
  'q+',
  '%2525',
  '%FF',
  'a%2Fb',
  '~!$()*,;:@',
];
const path = fc
  .array(fc.constantFrom(...segments.slice(0, 3), ...segments), { minLength: 0, maxLength: 3 })
  .chain((parts) =>
    fc.constantFrom('', '', '', '/').map((end) => parts.map((part) => `/${part}`).join('') + end),
  );
/** Paths that are answered with another one. */
const unclean = fc.constantFrom('//a', '/./a', '/a/../b', '/%2E%2E/x', '/a//', '/a%2F%2Fb', '/../../../zz');

const flag = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('true', 'false') },
  { weight: 1, arbitrary: fc.constantFrom('1', 'T', 'FALSE', 'f', '', 'yes', 'TRue', '2') },
);
const value = fc.constantFrom(
  '1',
  '2',
  '',
  'a+b%2Bc',
  '%C3%BC%00%0A%08%0C%22%5C',
  '%3Cb%3E%26%E2%80%A8',
  '%FF%ED%A0%80',
  'x y',
);
/** `+n` and `-n` count from the run's first index. */
const index = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 30 }).map((n) => `@${n}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0',
      '',
      '-1',
      '+1',
      'x',
      '1.5',
      '18446744073709551615',
      '18446744073709551616',
    ),
  },
);
const ttl = fc.constantFrom(
  '100',
  '100',
  '5000',
  '',
  '-1',
  '1.5',
  'x',
  '7000000000',
  '9999999999999',
  '1e3',
  ' 5',
);

const param = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('value'), value) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('dir'), flag) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('prevExist'), flag) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('prevValue'), value) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('prevIndex'), index) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('ttl'), ttl) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('refresh'), flag) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('recursive'), flag) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('sorted'), flag) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('quorum'), flag) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('stream'), flag) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('waitIndex'), index) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('wait'), fc.constantFrom('false', '', 'x', 'F')) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('noValueOnSuccess'), flag) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('foo', '%zz', 'a;b', '', '%66oo'),
      fc.constantFrom('1', '%', '%4', ';'),
    ),
  },
);
const params = fc.array(param, { maxLength: 4 });
const contentType = fc.constantFrom(
  ...Array.from({ length: 12 }, () => 'application/x-www-form-urlencoded'),
  'Application/X-WWW-Form-Urlencoded; charset=UTF-8',
  'application/json',
  'multipart/form-data; boundary=B',
  'text/plain; charset',
  'a/',
  '/a',
  'a b',
  'application/x-www-form-urlencoded; a=1; a=2',
  'application/x-www-form-urlencoded;',
);

/** A request that changes a key, or tries to. */
const write = fc.record(
  {
    method: fc.constantFrom('PUT', 'PUT', 'PUT', 'POST'),
    path,
    query: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: params }),
    form: params,
    headers: contentType.map((type) => ({ 'content-type': type })),
  },
  { requiredKeys: ['method', 'path', 'query', 'form'] },
);
const read = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'DELETE', 'DELETE'),
  path,
  query: params,
});
const odd = fc.record({
  method: fc.constantFrom('PATCH', 'OPTIONS', 'GET', 'PUT', 'DELETE', 'HEAD', 'POST'),
  path: fc.oneof(unclean, path),
  query: params,
});

export const keyRequest: fc.Arbitrary<KeyRequest> = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 6, arbitrary: read },
  { weight: 1, arbitrary: odd },
) as fc.Arbitrary<KeyRequest>;

/** A watch, open beside the requests that follow. */
export interface WatchRequest {
  path: string;
  query: [string, string][];
}
export const watchRequest: fc.Arbitrary<WatchRequest> = fc.record({
  path,
  query: fc
    .record({
      recursive: fc.boolean(),
      stream: fc.boolean(),
      since: fc.option(fc.integer({ min: 0, max: 25 })),
    })
    .map(({ recursive, stream, since }) => [
      ['wait', 'true'] as [string, string],
      ...(recursive ? [['recursive', 'true'] as [string, string]] : []),
      ...(stream ? [['stream', 'true'] as [string, string]] : []),
      ...(since === null ? [] : [['waitIndex', `@${since}`] as [string, string]]),
    ]),
});

const encode = (pairs: readonly [string, string][], first: number): string =>
  pairs
    .map(([name, text]) => `${name}=${text.replace(/^@(-?\d+)$/, (_, n) => `${first + Number(n)}`)}`)
    .join('&');

/** @param dir the run's own directory @param first the run's first index */
export function rawRequest(
  { method, path: below, query, form, headers }: KeyRequest,
  dir: string,
  first: number,
): RawRequest {
  return {
    method,
    target: `/v2/keys${dir}${below}${query.length === 0 ? '' : `?${encode(query, first).replaceAll(' ', '%20')}`}`,
    ...(headers && { headers }),
    ...(form && { body: encode(form, first) }),
  };
}
