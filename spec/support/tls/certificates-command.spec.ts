import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../programs/program.js';

let folder: string;
let program: Program;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxetcd-certificates-spec-'));
  program = new Program('spec/support/tls/certificates-command.ts');
});
afterAll(async () => {
  await program.remove();
  rmSync(folder, { recursive: true });
});

const read = (name: string) => new X509Certificate(readFileSync(join(folder, 'new', name)));
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

test('writes an authority, a server and a client, and prints where they are', async () => {
  const command = program.start([join(folder, 'new')]);
  expect(await command.exitCode()).toBe(0);
  const names = ['ca.pem', 'server.pem', 'server-key.pem', 'client.pem', 'client-key.pem'];
  expect(command.printed.trim().split('\n')).toEqual(names.map((name) => join(folder, 'new', name)));
  expect(readdirSync(join(folder, 'new')).sort()).toEqual([...names].sort());

  const ca = read('ca.pem');
  for (const name of ['server.pem', 'client.pem']) expect(read(name).verify(ca.publicKey)).toBe(true);
  // etcd calls itself with its own certificate.
  expect(read('server.pem').keyUsage).toEqual([serverAuth, clientAuth]);
  expect(read('client.pem').keyUsage).toEqual([clientAuth]);
  expect(read('server.pem').subjectAltName).toContain('IP Address:127.0.0.1');
  expect(read('server.pem').subjectAltName).toContain('DNS:peer3');
});

test('says why it cannot', async () => {
  const command = program.start(['/dev/null/here']);
  expect(await command.exitCode()).toBe(1);
  expect(command.errors).toContain('/dev/null/here');
});
