/** What a failed handshake most likely asks for, by Node's code and OpenSSL's words; the first that fits. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/WRONG.VERSION.NUMBER|PACKET.LENGTH.TOO.LONG|HTTP.REQUEST/i, 'the port speaks no TLS: is it http?'],
  [/BAD.DECRYPT/i, 'tls.passphrase does not open tls.key'],
  [/MISSING.PASSPHRASE|INTERRUPTED.OR.CANCELLED/i, 'tls.key is locked: it needs tls.passphrase'],
  [/KEY.VALUES.MISMATCH/i, 'tls.key is not the key of tls.cert'],
  [/NO.START.LINE|BAD.BASE64|OSSL_ASN1|UNSUPPORTED$/i, 'tls.cert, tls.key or tls.ca is no PEM'],
  [/ALTNAME|HOSTNAME_MISMATCH/i, 'the certificate is for other names: set tls.servername to one of them'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, "the server's certificate is not valid at this time"],
  [
    /alert number (4[0-9]|116)\b|_ALERT_(?!PROTOCOL_VERSION|INTERNAL_ERROR)/i,
    'the server refuses the client: it wants tls.cert and tls.key signed by its CA',
  ],
  [
    /UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|UNTRUSTED|INVALID_PURPOSE|CERT_SIGNATURE_FAILURE/i,
    'the certificate is not signed by a CA that is trusted here: pass it as tls.ca',
  ],
  [/EPROTO(?!.*alert number (70|80)\b)/, 'the server ended the handshake: it may want tls.cert and tls.key'],
];

/** A few words on the likely cause of a failed handshake, or nothing. */
export function tlsHint(code: string, message: string): string {
  const hint = hints.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1];
  return hint === undefined ? '' : ` (${hint})`;
}
