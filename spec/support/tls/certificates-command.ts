/**
 * Command line: `node certificates-command.js [DIR]` makes a certificate authority, a server's and a client's certificate
 * for the compose files, in `.cache/certificates` or DIR, and prints their paths. It makes all of them anew each time.
 */
import { resolve } from 'node:path';
import { writeCertificates } from './certificate-files.js';

writeCertificates(resolve(process.argv[2] ?? '.cache/certificates')).then(
  (files) => console.log(Object.values(files).join('\n')),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
