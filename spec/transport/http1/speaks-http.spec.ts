import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { firstValueFrom } from 'rxjs';
import { speaksHttp } from '../../../lib/transport/http1/speaks-http.js';
import { cleanUp } from '../../support/jest/clean-up.js';
import { TestCertificates, type TestCertificate } from '../../support/tls/certificates.js';
import { setEnvironment } from '../../support/programs/environment.js';
import { eventually } from '../../support/jest/eventually.js';
import { freePorts } from '../../support/ports/free-port.js';

const certificates = new TestCertificates();
const undos: (() => unknown)[] = [];
let own: TestCertificate;
let accepted: number;
const sockets = new Set<Socket>();

beforeAll(async () => {
  own = await (await certificates.authority()).server();
});
afterAll(() => certificates.remove());
afterEach(() => cleanUp(undos));

/** Listens on a free port; returns its endpoint, which is an https one. */
async function listen(server: Server): Promise<string> {
  accepted = 0;
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  undos.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const answering = (status: number) =>
  createHttpServer((_: IncomingMessage, response: ServerResponse) => response.writeHead(status).end('hello'));

describe('a port that speaks http', () => {
  test.each([200, 301, 401, 404, 500, 503])('and answers %i', async (status) => {
    expect(await speaksHttp(await listen(answering(status)))).toBe(true);
  });

  test('and never ends its answer', async () => {
    const server = createHttpServer((_, response) => {
      response.writeHead(200).write('hello');
    });
    expect(await speaksHttp(await listen(server))).toBe(true);
    await eventually(() => sockets.size === 0, { within: 5_000 });
  });
});

describe('a port that does not', () => {
  test.each<[string, () => Server]>([
    ['speaks TLS', () => tls.createServer(own)],
    ['speaks https', () => createHttpsServer(own, (_, response) => response.end('hello'))],
    // As Go's servers do, etcd among them.
    ['speaks https and tells whoever forgets it', () => answering(400)],
    [
      'speaks something else',
      () => createServer((socket) => socket.resume().end('hello, this is no HTTP at all\r\n')),
    ],
    ['ends each connection', () => createServer((socket) => socket.resume().end())],
    ['resets each connection', () => createServer((socket) => socket.resetAndDestroy())],
    ['says nothing at all', () => createServer((socket) => socket.resume())],
  ])('%s', async (_, make) => {
    expect(await speaksHttp(await listen(make()))).toBe(false);
    expect(accepted).toBe(1);
    await eventually(() => sockets.size === 0, { within: 5_000 });
  });

  test('is not there', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    expect(await speaksHttp(`https://127.0.0.1:${String(port)}`)).toBe(false);
  });
});

test('asks for nothing but the release, and shows no credentials', async () => {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${String(request.method)} ${String(request.url)}`, ...Object.keys(request.headers).sort());
    response.end();
  });
  expect(await speaksHttp(await listen(server))).toBe(true);
  expect(asked).toEqual(['GET /version', 'connection', 'host']);
});

describe('behind a proxy', () => {
  test.each([
    ['it cannot be told, and nobody is asked', '', false, 0],
    ['unless the endpoint is reached without it', '127.0.0.1', true, 1],
  ])('%s', async (_, exempt, expected, connections) => {
    const endpoint = await listen(answering(200));
    const proxy = endpoint.replace('https:', 'http:');
    undos.push(
      setEnvironment({ HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: exempt, no_proxy: exempt }),
    );
    expect(await speaksHttp(endpoint)).toBe(expected);
    expect(accepted).toBe(connections);
  });
});
