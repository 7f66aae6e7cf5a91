import { tlsFailure } from './tls-failure.js';

/** What an HTTP client of Node's threw, as far as it is looked at. */
export interface Thrown {
  readonly code: string;
  readonly message: string;
  /** The system call that failed; empty where it is not named. */
  readonly syscall: string;
}

/** What a failure of a socket means for the exchange. */
export interface SocketFailure {
  readonly kind: 'connect' | 'reset' | 'tls';
  readonly message: string;
  readonly sent: boolean;
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

/** Reads by Node's codes how a connection failed, and whether before anything was sent; undefined for any other failure. */
export function socketFailure(thrown: Thrown, sent: boolean | undefined): SocketFailure | undefined {
  const { code, message } = thrown;
  // A proxy that lets nothing through.
  if (sent === false && message.startsWith('Proxy ')) return { kind: 'connect', message, sent: false };
  const tls = tlsFailure(code, message, sent);
  if (tls !== undefined) return tls;
  if (isUnsent(thrown, sent)) return { kind: 'connect', message: code, sent: false };
  if (!connectCodes.has(code) || code.endsWith('TIMEOUT')) return undefined;
  return { kind: 'reset', message: code, sent: sent ?? true };
}

/** Whether it failed before a byte of the request was written. No code proves that of what was handed to a connection. */
function isUnsent({ code, syscall }: Thrown, sent: boolean | undefined): boolean {
  if (sent === true) return false;
  if (syscall === 'connect') return true;
  if (!connectCodes.has(code)) return false;
  return sent === false || (syscall !== 'read' && syscall !== 'write' && !routeCodes.test(code));
}
