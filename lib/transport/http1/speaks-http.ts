import { get } from 'node:http';
import { environmentProxy } from './environment-proxy.js';

/** How long to wait for an answer, ms. */
const diagnosisTimeout = 1_000;

/**
 * Whether plain http is spoken at an https endpoint's port; asks for nothing but `/version`. etcd resets a TLS handshake
 * at such a port without a word. Behind a proxy it cannot be told. Keeps no process alive.
 *
 * @param closed ends the search
 */
export async function speaksHttp(endpoint: string, closed?: AbortSignal): Promise<boolean> {
  if (environmentProxy(endpoint) !== undefined) return false;
  const signal = AbortSignal.any([
    AbortSignal.timeout(diagnosisTimeout),
    ...(closed === undefined ? [] : [closed]),
  ]);
  const { hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const request = get(
      { host, port: Number(port || 443), path: '/version', agent: false, signal },
      (response) => {
        response.destroy();
        // What TLS servers tell whoever forgets it.
        resolve(response.statusCode !== 400);
      },
    );
    request.once('socket', (socket) => {
      socket.unref();
    });
    request.on('error', () => {
      resolve(false);
    });
  });
}
