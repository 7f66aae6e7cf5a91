import './reflect-metadata.js';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
} from '@peculiar/x509';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateOptions {
  /** The names and addresses that a server's certificate is for. Default: 127.0.0.1 and localhost; a client's has none. */
  names?: string[];
  /** Valid in the past only. */
  expired?: boolean;
  /** Encrypts the private key. */
  passphrase?: string;
}

/** A certificate with its private key, as PEM and in files. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Certificate authorities in a temporary folder; `remove` removes it with all that they issued. */
export class TestCertificates {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxetcd-certificates-'));

  /** Makes an authority of that name; two of the same name have nothing in common. */
  async authority(name = 'test CA'): Promise<TestAuthority> {
    const keys = await createKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: `CN=${name}`,
      ...validity(false),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(this.#folder, name, certificate.toString('pem'), keys);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Signs certificates of servers and clients. */
export class TestAuthority {
  readonly #folder: string;
  readonly #name: string;
  readonly #keys: CryptoKeyPair;
  /** Its own certificate, as PEM. */
  readonly cert: string;
  readonly certFile: string;

  constructor(folder: string, name: string, cert: string, keys: CryptoKeyPair) {
    this.#folder = folder;
    this.#name = name;
    this.#keys = keys;
    this.cert = cert;
    this.certFile = writeIn(folder, 'cert', cert);
  }

  /** For a server; also as a client, since etcd calls itself with it. */
  async server({
    names = ['127.0.0.1', 'localhost'],
    ...options
  }: CertificateOptions = {}): Promise<TestCertificate> {
    const san = names.map((value): JsonGeneralName => ({ type: isIP(value) ? 'ip' : 'dns', value }));
    return this.#issue('etcd', options, [
      new SubjectAlternativeNameExtension(san),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    ]);
  }

  /** For a client; etcd takes its common name for a user's. */
  async client(
    commonName: string,
    options: Omit<CertificateOptions, 'names'> = {},
  ): Promise<TestCertificate> {
    return this.#issue(commonName, options, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]);
  }

  async #issue(
    commonName: string,
    { expired = false, passphrase }: Omit<CertificateOptions, 'names'>,
    extensions: Extension[],
  ): Promise<TestCertificate> {
    const keys = await createKeys();
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: `CN=${commonName}`,
      issuer: `CN=${this.#name}`,
      ...validity(expired),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        ...extensions,
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ],
    });
    const cert = certificate.toString('pem');
    const key = privateKeyPem(keys.privateKey, passphrase);
    return {
      cert,
      key,
      certFile: writeIn(this.#folder, 'cert', cert),
      keyFile: writeIn(this.#folder, 'key', key),
    };
  }
}

cryptoProvider.set(webcrypto as Crypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;
const validFor = 365 * day;

async function createKeys(): Promise<CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** Positive and random: two certificates of one authority must not share it. */
const serialNumber = (): string => `01${randomBytes(8).toString('hex')}`;

function validity(expired: boolean): { notBefore: Date; notAfter: Date } {
  // A clock that is a little behind is no reason to fail.
  const begin = Date.now() - day - (expired ? validFor : 0);
  return { notBefore: new Date(begin), notAfter: new Date(begin + validFor) };
}

function privateKeyPem(key: CryptoKey, passphrase: string | undefined): string {
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return KeyObject.from(key)
    .export({ type: 'pkcs8', format: 'pem', ...encryption })
    .toString();
}

function writeIn(folder: string, kind: string, pem: string): string {
  const file = join(folder, `${randomBytes(8).toString('hex')}.${kind}.pem`);
  writeFileSync(file, pem, { mode: 0o600 });
  return file;
}
