import { connect } from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';

/** How long to wait for the handshake, ms. */
const patience = 1_000;

/**
 * Whether TLS is spoken at an http endpoint's port; sends nothing but a handshake. etcd resets plain http at such a
 * port without a word, which alone looks like a member that is going down. Behind a proxy it cannot be told.
 */
export async function speaksTls(endpoint: string): Promise<boolean> {
  if (getProxyForUrl(endpoint) !== '') return false;
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    // Not verified: the question is whether, not with whom.
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      rejectUnauthorized: false,
    });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(patience, () => {
      settle(false);
    });
    socket.once('secureConnect', () => {
      settle(true);
    });
    // An alert is TLS as well.
    socket.once('error', ({ message }: Error) => {
      settle(/alert number/i.test(message));
    });
  });
}
