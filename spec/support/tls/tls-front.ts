import { readFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { Observable } from 'rxjs';
import type { EtcdTls } from '../etcd/etcd-flags.js';

/** A port that speaks TLS. */
export interface TlsFront {
  readonly url: string;
  /** Ends it and its connections. */
  close$(): Observable<void>;
}

/** Puts TLS in front of a server that has none; emits once it listens. */
export function startTlsFront(
  url: string,
  { certFile, keyFile, clientCaFile }: EtcdTls,
): Observable<TlsFront> {
  return new Observable((subscriber) => {
    const target = new URL(url);
    const open = new Set<{ destroy(): unknown }>();
    const wanted = clientCaFile !== undefined && { ca: readFileSync(clientCaFile), requestCert: true };
    const options = { cert: readFileSync(certFile), key: readFileSync(keyFile), ...wanted };
    const server = createServer(options, (secure) => {
      const plain = connect(Number(target.port), target.hostname);
      for (const [one, other] of [
        [secure, plain],
        [plain, secure],
      ] as const) {
        open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          open.delete(one);
          other.destroy();
        });
      }
      secure.pipe(plain).pipe(secure);
    });
    const close$ = () =>
      new Observable<void>((closed) => {
        server.close(() => {
          closed.next();
          closed.complete();
        });
        open.forEach((socket) => socket.destroy());
      });
    server.once('error', (error) => subscriber.error(error));
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      subscriber.next({ url: `https://127.0.0.1:${port}`, close$ });
      subscriber.complete();
    });
  });
}
