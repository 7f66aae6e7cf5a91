import { socketFailure } from '#platform/transport/socket-failure.js';
import type { Thrown } from './socket-failure.js';

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

/** A call's deadline has passed. */
export class DeadlinePassed extends TransportError {
  constructor() {
    super('other', 'not sent before its deadline', false);
  }
}

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
  const described = describe(thrown);
  const socket = socketFailure(described, sent);
  if (socket !== undefined) return new TransportError(socket.kind, socket.message, socket.sent);
  const { code, message } = described;
  // An unknown transport cannot prove that nothing was sent.
  return new TransportError(kindOf(code, message), code === '' ? message : code, sent ?? true);
}

function kindOf(code: string, message: string): TransportFailure {
  const isTimeout =
    /TIMEDOUT|TIMEOUT/.test(code) || (code === 'ECONNABORTED' && message.startsWith('timeout'));
  if (isTimeout) return 'timeout';
  return resetCode.test(code) ? 'reset' : 'other';
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** So much of a message is kept, cut down once more where it is shown: a secret that was cut in two is not recognised. */
const maxKept = 4_000;

const firstLineOf = (message: unknown): string =>
  typeof message === 'string' ? (message.split('\n')[0] ?? '').slice(0, maxKept) : '';

const nothing: Thrown = { code: '', message: '', syscall: '' };

/** By shape, not by class: errors of Node's own may come from another realm, as under Jest. */
function describe(thrown: unknown, depth = 0): Thrown {
  if (!isObject(thrown)) return { ...nothing, message: String(thrown) };
  const { name, message, cause, syscall, errors } = thrown;
  const inner: unknown = cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  // Errors may be each other's cause.
  const nested = isObject(inner) && depth < 5 ? describe(inner, depth + 1) : nothing;
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
    code: (isVague && nested.code) || code,
    message: nested.message || said,
    syscall: typeof syscall === 'string' ? syscall : nested.syscall,
  };
}
