import { tlsHint } from './tls-hint.js';

/** What a TLS failure means for the exchange. */
export interface TlsFailure {
  readonly kind: 'tls' | 'reset';
  readonly message: string;
  readonly sent: boolean;
}

const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_OSSL_|INVALID_CA$|INVALID_PURPOSE$)/;
/**
 * What only a handshake fails with: certificates, versions, the alerts that a peer sends about them, and before it keys
 * that cannot be read (`ERR_OSSL_`).
 */
const handshake =
  /^ERR_OSSL_|CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|UNKNOWN_CA|HANDSHAKE|WRONG_VERSION|PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|alert number (4[0-9]|70|116)\b/i;

/** Reads a TLS failure out of a code of Node's; undefined for any other. */
export function tlsFailure(code: string, message: string, sent: boolean | undefined): TlsFailure | undefined {
  if (!tlsCode.test(code)) return undefined;
  // A handshake that failed served no request. Any other TLS failure may have come after one.
  if (sent !== false && !handshake.test(`${code} ${message}`))
    return { kind: 'reset', message: code, sent: true };
  const words = message === '' ? code : `${code}: ${message}`;
  return { kind: 'tls', message: words + tlsHint(code, message), sent: false };
}
