import { get } from 'node:http';
import { getProxyForUrl } from 'proxy-from-env';

/** How long to wait for an answer, ms. */
const patience = 1_000;

/**
 * Whether plain http is spoken at an https endpoint's port; asks for nothing but `/version`. etcd resets a TLS handshake
 * at such a port without a word. Behind a proxy it cannot be told.
 */
export async function speaksHttp(endpoint: string): Promise<boolean> {
  if (getProxyForUrl(endpoint) !== '') return false;
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    const request = get(
      { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), path: '/version', agent: false },
      (response) => {
        response.destroy();
        // What TLS servers tell whoever forgets it.
        resolve(response.statusCode !== 400);
      },
    );
    request.setTimeout(patience, () => {
      request.destroy();
    });
    request.once('error', () => {
      resolve(false);
    });
  });
}
