import { tlsFailure } from './tls-failure.js';

/**
 * How an exchange failed. `connect`: no connection could be made. `reset`: the connection broke. `timeout`: a limit
 * passed. `tls`: the handshake failed. `unusable`: an answer that nobody can use, or a request that cannot be sent.
 * `withheld`: it was not sent, lest credentials go astray. `other`: anything else, as an interceptor that threw.
 */
export type TransportFailure = 'connect' | 'reset' | 'timeout' | 'tls' | 'unusable' | 'withheld' | 'other';

/** An HTTP exchange that ended without a complete answer. Holds no request, configuration or credential. */
export class TransportError extends Error {
  readonly kind: TransportFailure;
  /** Whether the request may have reached the server; false only when it provably did not. */
  readonly sent: boolean;
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs?: number;

  constructor(kind: TransportFailure, message: string, sent: boolean, timeoutMs?: number) {
    super(message);
    this.name = 'TransportError';
    this.kind = kind;
    this.sent = sent;
    if (timeoutMs !== undefined) this.timeoutMs = timeoutMs;
  }
}

/** A request that carries credentials, and may go to nobody before it is certain who that is. */
export function withheld(): TransportError {
  return new TransportError('withheld', 'not sent: who answers there is to be verified', false);
}

/**
 * Codes of failures that happen while a connection is made. Many can also end one that stood: the kernel reports what
 * the network last said once it gives up sending again.
 */
const connectCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EHOSTDOWN',
  'ENETDOWN',
  'EMFILE',
  'ENFILE',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
]);
/** Those that say nothing of the sort without a system call's name: whoever threw them may have sent the request. */
const routeCodes = /^E(HOSTUNREACH|NETUNREACH|HOSTDOWN|NETDOWN)$/;

const resetCode =
  /^(ECONNRESET|EPIPE|ECONNABORTED|ERR_NETWORK|ERR_BAD_RESPONSE|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_|HPE_)/;

/**
 * How browsers say that a connection could not be made or broke, be it of `fetch` or of the body that it gave: without a
 * code, in a TypeError of their own words, or (Firefox) as if somebody had aborted it. An interceptor that fetches
 * something itself fails with the same words.
 */
const browserBreak =
  /^(AbortError:|TypeError: (failed to fetch|load failed|networkerror |network error|error in (input|body) stream|content-length header of network response|the network connection was lost))/i;

/** Reads the failure out of whatever the HTTP client threw, keeping only its code and a short message. */
export function toTransportError(thrown: unknown, sent: boolean | undefined): TransportError {
  if (thrown instanceof TransportError) return thrown;
  const { code, message, syscall } = describe(thrown);
  // A proxy that lets nothing through.
  if (sent === false && message.startsWith('Proxy ')) return new TransportError('connect', message, false);
  const tls = tlsFailure(code, message, sent);
  if (tls !== undefined) return new TransportError(tls.kind, tls.message, tls.sent);
  if (isUnsent(code, syscall, sent)) return new TransportError('connect', code, false);
  // An unknown transport cannot prove that nothing was sent.
  return new TransportError(kindOf(code, message), code === '' ? message : code, sent ?? true);
}

/** Whether it failed before a byte of the request was written. No code proves that of what was handed to a connection. */
function isUnsent(code: string, syscall: string, sent: boolean | undefined): boolean {
  if (sent === true) return false;
  if (syscall === 'connect') return true;
  if (!connectCodes.has(code)) return false;
  return sent === false || (syscall !== 'read' && syscall !== 'write' && !routeCodes.test(code));
}

function kindOf(code: string, message: string): TransportFailure {
  const isTimeout =
    /TIMEDOUT|TIMEOUT/.test(code) || (code === 'ECONNABORTED' && message.startsWith('timeout'));
  if (isTimeout) return 'timeout';
  return resetCode.test(code) || connectCodes.has(code) ? 'reset' : 'other';
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const firstLineOf = (message: unknown): string =>
  typeof message === 'string' ? (message.split('\n')[0] ?? '').slice(0, 200) : '';

/** By shape, not by class: errors of Node's own may come from another realm, as under Jest. */
function describe(thrown: unknown, depth = 0): { code: string; message: string; syscall: string } {
  if (!isObject(thrown)) return { code: '', message: String(thrown), syscall: '' };
  const { name, message, cause, syscall, errors } = thrown;
  const inner: unknown = cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  // Errors may be each other's cause.
  const nested = isObject(inner) && depth < 5 ? describe(inner, depth + 1) : undefined;
  const said = firstLineOf(message);
  const code =
    typeof thrown['code'] === 'string'
      ? thrown['code']
      : browserBreak.test(`${String(name)}: ${said}`)
        ? 'ERR_NETWORK'
        : '';
  // A wrapper's own code (as ERR_NETWORK) says less than that of its cause, if that has any; it may be anything.
  const isVague = code === '' || /^ERR_(NETWORK|BAD_)/.test(code);
  return {
    code: isVague && nested !== undefined && nested.code !== '' ? nested.code : code,
    message: nested !== undefined && nested.message !== '' ? nested.message : said,
    syscall: typeof syscall === 'string' ? syscall : (nested?.syscall ?? ''),
  };
}
