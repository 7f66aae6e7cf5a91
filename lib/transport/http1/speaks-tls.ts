import { addAbortSignal } from 'node:stream';
import { connect } from 'node:tls';
import { environmentProxy } from './environment-proxy.js';

/** How long to wait for an answer, ms. */
const diagnosisTimeout = 1_000;

/**
 * Whether TLS is spoken at an http endpoint's port; sends nothing but a handshake. etcd resets plain http at such a
 * port without a word, which alone looks like a member that is going down. Behind a proxy it cannot be told. Keeps no
 * process alive.
 *
 * @param closed ends the search
 */
export async function speaksTls(endpoint: string, closed?: AbortSignal): Promise<boolean> {
  if (environmentProxy(endpoint) !== undefined) return false;
  const signal = AbortSignal.any([
    AbortSignal.timeout(diagnosisTimeout),
    ...(closed === undefined ? [] : [closed]),
  ]);
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    // Not verified: the question is whether, not with whom.
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      rejectUnauthorized: false,
    });
    addAbortSignal(signal, socket);
    socket.unref();
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve(true);
    });
    // An alert is TLS as well.
    socket.on('error', ({ message }: Error) => {
      resolve(/alert number/i.test(message));
    });
  });
}
