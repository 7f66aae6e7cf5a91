import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { firstValueFrom } from 'rxjs';
import { speaksTls } from '../../../lib/transport/http1/speaks-tls.js';
import {
  TestCertificates,
  type TestAuthority,
  type TestCertificate,
} from '../../support/tls/certificates.js';
import { eventually } from '../../support/jest/eventually.js';
import { freePorts } from '../../support/ports/free-port.js';

const certificates = new TestCertificates();
let authority: TestAuthority;
let own: TestCertificate;
let sockets = new Set<Socket>();
let accepted: number;
let server: Server | undefined;

/** Listens on a free port; returns its endpoint, which is an http one. */
async function listen(started: Server): Promise<string> {
  server = started;
  sockets = new Set();
  accepted = 0;
  started.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  started.on('tlsClientError', () => undefined);
  await once(started.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${String((started.address() as AddressInfo).port)}`;
}

const tlsServer = (options: tls.TlsOptions = {}): Server => tls.createServer({ ...own, ...options });

beforeAll(async () => {
  authority = await certificates.authority();
  own = await authority.server();
});
afterAll(() => {
  certificates.remove();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  const closing = server;
  server = undefined;
  if (closing?.listening === true) await new Promise((resolve) => closing.close(resolve));
});

describe('a port that speaks TLS', () => {
  test.each<[string, () => Server]>([
    ['with a certificate that is not trusted here', () => tlsServer()],
    ['that wants a certificate of the client', () => tlsServer({ requestCert: true, ca: authority.cert })],
    [
      'that wants one at once, as TLS 1.2 does',
      () => tlsServer({ requestCert: true, ca: authority.cert, maxVersion: 'TLSv1.2' }),
    ],
    ['that has no certificate, and answers with an alert', () => tls.createServer({})],
  ])('%s', async (_, make) => {
    expect(await speaksTls(await listen(make()))).toBe(true);
  });

  test('at an address of IPv6, which in a URL stands in brackets', async () => {
    const { port } = new URL(await listen(tlsServer()));
    // Not every host has IPv6: what is meant for that address goes to the other one.
    const node = jest.requireActual<{ connect: (options: tls.ConnectionOptions) => tls.TLSSocket }>(
      'node:tls',
    );
    const { connect } = node;
    const spy = jest
      .spyOn(node, 'connect')
      .mockImplementation(({ host, ...options }) =>
        connect({ ...options, host: host === '::1' ? '127.0.0.1' : String(host) }),
      );
    try {
      expect(await speaksTls(`http://[::1]:${port}`)).toBe(true);
    } finally {
      spy.mockRestore();
    }
  });
});

describe('a port that does not', () => {
  test.each<[string, () => Server]>([
    ['speaks http', () => createHttpServer((_, response) => response.end('hello'))],
    ['speaks something else', () => createServer((socket) => socket.end('hello, this is no TLS at all\r\n'))],
    ['ends each connection', () => createServer((socket) => socket.end())],
    ['resets each connection', () => createServer((socket) => socket.resetAndDestroy())],
    ['says nothing at all', () => createServer()],
  ])('%s', async (_, make) => {
    expect(await speaksTls(await listen(make()))).toBe(false);
    expect(accepted).toBe(1);
  });

  test('is not there', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    expect(await speaksTls(`http://127.0.0.1:${String(port)}`)).toBe(false);
  });
});

test('sends nothing but a handshake, and leaves no connection behind', async () => {
  const received: Buffer[] = [];
  const endpoint = await listen(
    createServer((socket) => socket.on('data', (data: Buffer) => received.push(data))),
  );
  expect(await speaksTls(endpoint)).toBe(false);
  // A handshake record, and in it the hello of a client.
  const hello = Buffer.concat(received);
  expect([hello[0], hello[1], hello[5]]).toEqual([22, 3, 1]);
  expect(hello.toString('latin1')).not.toContain('HTTP');
  await eventually(() => sockets.size === 0);
});

describe('behind a proxy', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy']) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  test('it cannot be told, and nobody is asked', async () => {
    const endpoint = await listen(tlsServer());
    Object.assign(process.env, { http_proxy: endpoint, HTTP_PROXY: endpoint, no_proxy: '', NO_PROXY: '' });
    expect(await speaksTls(endpoint)).toBe(false);
    expect(accepted).toBe(0);
  });

  test('unless the endpoint is reached without it', async () => {
    const endpoint = await listen(tlsServer());
    const none = '127.0.0.1';
    Object.assign(process.env, {
      http_proxy: endpoint,
      HTTP_PROXY: endpoint,
      no_proxy: none,
      NO_PROXY: none,
    });
    expect(await speaksTls(endpoint)).toBe(true);
  });
});
