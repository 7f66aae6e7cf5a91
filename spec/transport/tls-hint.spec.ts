import { tlsHint } from '../../lib/transport/tls-hint.js';

/** What Node says when the handshake fails while it still writes: no code of its own, but the words of OpenSSL. */
const eproto = (words: string): string =>
  `write EPROTO 80:error:0A00010B:SSL routines:ssl3_read_bytes:${words}`;

const noTls = ' (the port speaks no TLS: is it http?)';
const otherName = ' (the certificate is for other names: set tls.servername to one of them)';
const notNow = " (the server's certificate is not valid at this time)";
const refused = ' (the server refuses the client: it wants tls.cert and tls.key signed by its CA)';
const untrusted = ' (the certificate is not signed by a CA that is trusted here: pass it as tls.ca)';
const ended = ' (the server ended the handshake: it may want tls.cert and tls.key)';

test.each<[string, string, string]>([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', noTls],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'packet length too long', noTls],
  ['ERR_SSL_HTTP_REQUEST', 'http request', noTls],
  ['EPROTO', eproto('wrong version number:../deps/ssl3_record.c:350:'), noTls],
  ['EPROTO', eproto('packet length too long:../deps/ssl3_record.c:350:'), noTls],
  ['EPROTO', eproto('http request:../deps/ssl3_record.c:350:'), noTls],
  ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames", otherName],
  ['HOSTNAME_MISMATCH', 'Hostname mismatch', otherName],
  ['CERT_HAS_EXPIRED', 'certificate has expired', notNow],
  ['CERT_NOT_YET_VALID', 'certificate is not yet valid', notNow],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required', refused],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'sslv3 alert bad certificate', refused],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca', refused],
  ['EPROTO', eproto('sslv3 alert bad certificate:../deps/rec_layer_s3.c:1601:SSL alert number 42'), refused],
  ['EPROTO', eproto('tlsv1 alert unknown ca:../deps/rec_layer_s3.c:1601:SSL alert number 48'), refused],
  [
    'EPROTO',
    eproto('tlsv13 alert certificate required:../deps/rec_layer_s3.c:1601:SSL alert number 116'),
    refused,
  ],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', untrusted],
  ['CERT_UNTRUSTED', 'certificate not trusted', untrusted],
  ['INVALID_CA', 'invalid CA certificate', untrusted],
  ['EPROTO', 'write EPROTO', ended],
  // What has no likely cause has no hint.
  ['CERT_REVOKED', 'certificate revoked', ''],
  ['ERR_SSL_DECRYPTION_FAILED', 'decryption failed', ''],
  ['ECONNRESET', 'read ECONNRESET', ''],
  ['', '', ''],
])('%s, %j', (code, message, hint) => {
  expect(tlsHint(code, message)).toBe(hint);
});

test.each<[string, string]>([
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tlsv1 alert protocol version'],
  ['EPROTO', eproto('tlsv1 alert protocol version:../deps/rec_layer_s3.c:1601:SSL alert number 70')],
  ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'tlsv1 alert internal error'],
])('%s, %j says nothing of certificates', (code, message) => {
  expect(tlsHint(code, message)).not.toContain('tls.cert');
});
