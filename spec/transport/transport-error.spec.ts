import { inspect } from 'node:util';
import { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import {
  toTransportError,
  TransportError,
  type TransportFailure,
} from '../../lib/transport/transport-error.js';

const withCode = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`message of ${code}`), { code, ...more });
const untrusted = '(the certificate is not signed by a CA that is trusted here: pass it as tls.ca)';
/** An AxiosError as adapters make it, its configuration full of secrets. */
const axiosError = (code: string, cause?: unknown): AxiosError => {
  const config = { headers: { Authorization: 'Basic hush-hush' }, data: 'value=hush-hush' };
  const error = new AxiosError(`axios: ${code}`, code, config as unknown as InternalAxiosRequestConfig, {
    secret: 'hush-hush',
  });
  return Object.assign(error, cause === undefined ? {} : { cause });
};

describe('toTransportError', () => {
  test.each<[string, unknown, boolean | undefined, TransportFailure, boolean, string]>([
    // No connection could be made: surely unsent, whatever the sender believes.
    [
      'refused',
      withCode('ECONNREFUSED', { syscall: 'connect' }),
      undefined,
      'connect',
      false,
      'ECONNREFUSED',
    ],
    [
      'unknown host',
      withCode('ENOTFOUND', { syscall: 'getaddrinfo' }),
      undefined,
      'connect',
      false,
      'ENOTFOUND',
    ],
    ['DNS out of order', withCode('EAI_AGAIN'), undefined, 'connect', false, 'EAI_AGAIN'],
    [
      'no route to connect by',
      withCode('EHOSTUNREACH', { syscall: 'connect' }),
      undefined,
      'connect',
      false,
      'EHOSTUNREACH',
    ],
    ['no route before it was sent', withCode('EHOSTUNREACH'), false, 'connect', false, 'EHOSTUNREACH'],
    // The same codes end connections that stood, once the kernel gives up sending again.
    ...['ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETDOWN'].flatMap(
      (code): [string, unknown, boolean | undefined, TransportFailure, boolean, string][] => [
        [`${code}, and nobody knows`, withCode(code), undefined, 'reset', true, code],
        [`${code} while reading`, withCode(code, { syscall: 'read' }), undefined, 'reset', true, code],
        [`${code} after it was sent`, withCode(code, { syscall: 'read' }), true, 'reset', true, code],
      ],
    ),
    // A firewall that rejects ends established connections with it.
    [
      'refused while reading',
      withCode('ECONNREFUSED', { syscall: 'read' }),
      undefined,
      'reset',
      true,
      'ECONNREFUSED',
    ],
    ...['ECONNREFUSED', 'ENOTFOUND', 'EMFILE', 'UND_ERR_CONNECT_TIMEOUT'].map(
      (code): [string, unknown, boolean, TransportFailure, boolean, string] => [
        `${code} of a second try by an interceptor, after the first was sent`,
        withCode(code, { syscall: 'connect' }),
        true,
        code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'reset',
        true,
        code,
      ],
    ),
    [
      'words like those of a proxy, by whoever',
      new Error('Proxy says no'),
      undefined,
      'other',
      true,
      'Proxy says no',
    ],
    [
      'a limit of axios',
      axiosError('ECONNABORTED', new Error('timeout of 5ms exceeded')),
      undefined,
      'timeout',
      true,
      'ECONNABORTED',
    ],
    ['no ports left', withCode('EADDRNOTAVAIL'), undefined, 'connect', false, 'EADDRNOTAVAIL'],
    ['no files left', withCode('EMFILE'), undefined, 'connect', false, 'EMFILE'],
    [
      'undici gave up connecting',
      withCode('UND_ERR_CONNECT_TIMEOUT'),
      undefined,
      'connect',
      false,
      'UND_ERR_CONNECT_TIMEOUT',
    ],
    [
      'timeout of connect()',
      withCode('ETIMEDOUT', { syscall: 'connect' }),
      undefined,
      'connect',
      false,
      'ETIMEDOUT',
    ],
    [
      'reset during connect()',
      withCode('ECONNRESET', { syscall: 'connect' }),
      undefined,
      'connect',
      false,
      'ECONNRESET',
    ],
    [
      'forbidden to connect',
      withCode('EACCES', { syscall: 'connect' }),
      undefined,
      'connect',
      false,
      'EACCES',
    ],
    [
      'several addresses refused',
      Object.assign(new AggregateError([withCode('ECONNREFUSED', { syscall: 'connect' })]), {
        code: 'ECONNREFUSED',
      }),
      undefined,
      'connect',
      false,
      'ECONNREFUSED',
    ],
    [
      'addresses refused, without a code',
      new AggregateError([withCode('ECONNREFUSED')]),
      undefined,
      'connect',
      false,
      'ECONNREFUSED',
    ],
    [
      'axios over http, refused',
      axiosError('ECONNREFUSED', withCode('ECONNREFUSED')),
      undefined,
      'connect',
      false,
      'ECONNREFUSED',
    ],
    [
      'axios over fetch, refused',
      axiosError('ERR_NETWORK', withCode('ECONNREFUSED', { syscall: 'connect' })),
      undefined,
      'connect',
      false,
      'ECONNREFUSED',
    ],
    // TLS: the handshake comes before the request.
    [
      'expired',
      withCode('CERT_HAS_EXPIRED'),
      undefined,
      'tls',
      false,
      "CERT_HAS_EXPIRED: message of CERT_HAS_EXPIRED (the server's certificate is not valid at this time)",
    ],
    [
      'self-signed',
      withCode('DEPTH_ZERO_SELF_SIGNED_CERT'),
      undefined,
      'tls',
      false,
      `DEPTH_ZERO_SELF_SIGNED_CERT: message of DEPTH_ZERO_SELF_SIGNED_CERT ${untrusted}`,
    ],
    [
      'wrong name',
      withCode('ERR_TLS_CERT_ALTNAME_INVALID'),
      undefined,
      'tls',
      false,
      'ERR_TLS_CERT_ALTNAME_INVALID: message of ERR_TLS_CERT_ALTNAME_INVALID (the certificate is for other names: set tls.servername to one of them)',
    ],
    [
      'no TLS at that port',
      withCode('ERR_SSL_WRONG_VERSION_NUMBER'),
      undefined,
      'tls',
      false,
      'ERR_SSL_WRONG_VERSION_NUMBER: message of ERR_SSL_WRONG_VERSION_NUMBER (the port speaks no TLS: is it http?)',
    ],
    [
      'unknown issuer',
      withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      undefined,
      'tls',
      false,
      `UNABLE_TO_VERIFY_LEAF_SIGNATURE: message of UNABLE_TO_VERIFY_LEAF_SIGNATURE ${untrusted}`,
    ],
    [
      'protocol error before it was sent',
      withCode('EPROTO'),
      false,
      'tls',
      false,
      'EPROTO: message of EPROTO (the server ended the handshake: it may want tls.cert and tls.key)',
    ],
    ['protocol error, perhaps after it was sent', withCode('EPROTO'), undefined, 'reset', true, 'EPROTO'],
    [
      'a broken record after it was sent',
      withCode('ERR_SSL_DECRYPTION_FAILED'),
      true,
      'reset',
      true,
      'ERR_SSL_DECRYPTION_FAILED',
    ],
    [
      'a refused client certificate',
      withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      true,
      'tls',
      false,
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: message of ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED (the server refuses the client: it wants tls.cert and tls.key signed by its CA)',
    ],
    // Broken connections: what the sender knows decides.
    ['reset after it was sent', withCode('ECONNRESET'), true, 'reset', true, 'ECONNRESET'],
    ['reset before it was sent', withCode('ECONNRESET'), false, 'reset', false, 'ECONNRESET'],
    ['reset, and nobody knows', withCode('ECONNRESET'), undefined, 'reset', true, 'ECONNRESET'],
    ['broken pipe', withCode('EPIPE'), undefined, 'reset', true, 'EPIPE'],
    ['other side closed', withCode('UND_ERR_SOCKET'), true, 'reset', true, 'UND_ERR_SOCKET'],
    ['no HTTP', withCode('HPE_INVALID_CONSTANT'), true, 'reset', true, 'HPE_INVALID_CONSTANT'],
    ['a browser says no more than that', axiosError('ERR_NETWORK'), undefined, 'reset', true, 'ERR_NETWORK'],
    ...[
      ['Chromium', 'Failed to fetch'],
      ['Firefox', 'NetworkError when attempting to fetch resource.'],
      ['Safari', 'Load failed'],
    ].map(([browser, words]): [string, unknown, undefined, TransportFailure, boolean, string] => [
      `axios over ${browser}’s fetch`,
      axiosError('ERR_NETWORK', new TypeError(words)),
      undefined,
      'reset',
      true,
      'ERR_NETWORK',
    ]),
    ...(
      [
        ['Chromium', new TypeError('network error')],
        ['Firefox', new TypeError('Error in input stream')],
        [
          'Firefox, too short',
          new TypeError('Content-Length header of network response exceeds response Body.'),
        ],
        ['Firefox, in chunks', new DOMException('The operation was aborted. ', 'AbortError')],
        ['Safari', new TypeError('The network connection was lost.')],
      ] as [string, Error][]
    ).flatMap(([browser, error]): [string, unknown, undefined, TransportFailure, boolean, string][] => [
      [`a body that breaks in ${browser}`, error, undefined, 'reset', true, 'ERR_NETWORK'],
      [
        `the same, read by axios in ${browser}`,
        AxiosError.from(error),
        undefined,
        'reset',
        true,
        'ERR_NETWORK',
      ],
    ]),
    [
      'an interceptor’s own TypeError',
      new TypeError('x is not a function'),
      undefined,
      'other',
      true,
      'x is not a function',
    ],
    [
      'the words of a browser in another error',
      new Error('network error'),
      undefined,
      'other',
      true,
      'network error',
    ],
    [
      'timeout while waiting',
      withCode('ETIMEDOUT', { syscall: 'read' }),
      undefined,
      'timeout',
      true,
      'ETIMEDOUT',
    ],
    [
      'undici waited for headers',
      withCode('UND_ERR_HEADERS_TIMEOUT'),
      true,
      'timeout',
      true,
      'UND_ERR_HEADERS_TIMEOUT',
    ],
    // Anything else.
    ['an interceptor', new Error('my interceptor\nsays no'), undefined, 'other', true, 'my interceptor'],
    [
      'an interceptor, before it was sent',
      new TypeError('x is not a function'),
      false,
      'other',
      false,
      'x is not a function',
    ],
    ['cancelled', axiosError('ERR_CANCELED'), undefined, 'other', true, 'ERR_CANCELED'],
    ['text', 'gone', undefined, 'other', true, 'gone'],
    ['nothing', undefined, undefined, 'other', true, 'undefined'],
    ['null', null, undefined, 'other', true, 'null'],
  ])('%s', (_, thrown, known, kind, sent, message) => {
    const error = toTransportError(thrown, known);
    expect(error).toBeInstanceOf(TransportError);
    expect([error.kind, error.sent, error.message]).toEqual([kind, sent, message]);
  });

  test('one of ours is passed on as it is', () => {
    const given = new TransportError('timeout', 'x', false, 5);
    expect(toTransportError(given, true)).toBe(given);
  });

  test.each(['ECONNRESET', 'ERR_NETWORK', 'ERR_BAD_REQUEST', 'CERT_HAS_EXPIRED'])(
    'holds nothing of an AxiosError (%s)',
    (code) => {
      const error = toTransportError(axiosError(code, withCode('EPIPE')), undefined);
      expect(error).not.toHaveProperty('cause');
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hush-hush');
      for (const name of Object.getOwnPropertyNames(error).filter((n) => n !== 'stack'))
        expect(typeof (error as unknown as Record<string, unknown>)[name]).not.toBe('object');
    },
  );

  test('an endless message is cut', () => {
    expect(toTransportError(new Error('x'.repeat(10_000)), false).message).toHaveLength(4_000);
  });

  test('errors that are each the cause of the other do not hang it', () => {
    const [one, two] = [new Error('one'), new Error('two')];
    one.cause = two;
    two.cause = one;
    expect(toTransportError(one, undefined)).toMatchObject({ kind: 'other', sent: true });
  });
});
