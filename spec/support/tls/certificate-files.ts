import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestCertificates } from './certificates.js';

/** What a cluster with TLS needs, each a PEM file; as compose/three-nodes-tls.yml names them. */
export interface CertificateFiles {
  ca: string;
  server: string;
  serverKey: string;
  client: string;
  clientKey: string;
}

/** Whom the server's certificate is for: every member, from this machine, from containers, and to each other. */
const names = [
  '127.0.0.1',
  'localhost',
  ...['etcd', 'peer'].flatMap((kind) => [1, 2, 3].map((n) => `${kind}${n}`)),
];

/** Writes a new authority, and a server's and a client's certificate of it, into a folder that need not exist. */
export async function writeCertificates(folder: string): Promise<CertificateFiles> {
  const certificates = new TestCertificates();
  try {
    const ca = await certificates.authority('rxetcd CA');
    const [server, client] = await Promise.all([ca.server({ names }), ca.client('rxetcd')]);
    mkdirSync(folder, { recursive: true });
    const write = (name: string, pem: string): string => {
      const file = join(folder, name);
      writeFileSync(file, pem, { mode: 0o600 });
      return file;
    };
    return {
      ca: write('ca.pem', ca.cert),
      server: write('server.pem', server.cert),
      serverKey: write('server-key.pem', server.key),
      client: write('client.pem', client.cert),
      clientKey: write('client-key.pem', client.key),
    };
  } finally {
    certificates.remove();
  }
}
