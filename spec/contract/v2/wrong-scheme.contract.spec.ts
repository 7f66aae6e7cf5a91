import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { EtcdClient } from 'rxetcd';
import { eventually } from '../../support/jest/eventually.js';
import { resetSocket } from '../../support/proxies/reset-socket.js';
import { ScriptRunner } from '../../support/programs/run-script.js';
import { afterEachTest } from '../../support/jest/clean-up.js';

const afterwards = afterEachTest();

/*
 * A port that resets what speaks the endpoint's scheme has the client look whether it speaks the other one. Here that
 * search would last for ever: its limit is switched off.
 */
const tlsHandshake = 22;
let server: Server | undefined;
const sockets = new Set<Socket>();
/** Connections of the search. */
let held = new Set<Socket>();

/** Resets each connection of the scheme, and does this to any other. */
async function listen(scheme: string, greet: (socket: Socket) => void): Promise<string> {
  held = new Set();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      held.delete(socket);
    });
    socket.once('data', ([first]: Buffer) => {
      if ((first === tlsHandshake) === (scheme === 'https')) resetSocket(socket);
      else {
        held.add(socket);
        greet(socket);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `${scheme}://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

afterEach(async () => {
  jest.restoreAllMocks();
  sockets.forEach((socket) => socket.destroy());
  const closing = server;
  server = undefined;
  if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
});

let runner: ScriptRunner;
beforeAll(() => {
  runner = new ScriptRunner();
});
afterAll(() => runner.remove());

/** Piece by piece, behind what comes at once, for as long as the connection stands. */
const dribble =
  (bytes: Buffer, atOnce = 0) =>
  (socket: Socket) => {
    socket.write(bytes.subarray(0, atOnce));
    let next = atOnce;
    const timer = setInterval(() => socket.write(bytes.subarray(next, ++next)), 20);
    socket.on('close', () => clearInterval(timer));
  };
const header = Buffer.from(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(8_000)}`);
const head = 'HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n';
/** The first bytes of a handshake record of 16 KB. */
const hello = Buffer.concat([Buffer.from([22, 3, 3, 64, 0, 2, 0, 63, 252, 3, 3]), Buffer.alloc(16_000)]);

const ports: [string, string, (socket: Socket) => void][] = [
  ['http', 'never answers', () => undefined],
  ['http', 'dribbles a handshake', dribble(hello)],
  ['https', 'never answers', () => undefined],
  ['https', 'dribbles a header', dribble(header)],
];

describe.each(ports)('%s, to a port that %s', (scheme, _, greet) => {
  test('close() ends the search at once', async () => {
    jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
    const endpoint = await listen(scheme, greet);
    const client = new EtcdClient(endpoint);
    afterwards(() => client.close());
    const told = jest.fn();
    client.get$('/a').subscribe({ error: told });
    await eventually(() => held.size > 0);
    client.close();
    await eventually(() => held.size === 0);
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: 'CLIENT_CLOSED' }));
    expect(sockets.size).toBe(0);
  });

  test('the search keeps no process alive, closed or not', async () => {
    const endpoint = await listen(scheme, greet);
    const searched = eventually(() => held.size > 0);
    const result = await runner.run(`
      import { EtcdClient } from './index.js';
      AbortSignal.timeout = () => new AbortController().signal;
      const client = new EtcdClient({ endpoints: '${endpoint}', deadline: 1_000 });
      client.get$('/a').subscribe({ error: ({ code }) => console.log(code) });
    `);
    await searched;
    expect(result).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^[A-Z_]+\n$/) as string,
      stderr: '',
    });
  });
});

test('https, to a port whose body dribbles: it is known by its head', async () => {
  jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
  // The head comes at once: piece by piece it would take a busy machine longer than a call may last.
  const dribbles = dribble(Buffer.from(head + 'x'.repeat(8_000)), head.length);
  const client = new EtcdClient(await listen('https', dribbles));
  afterwards(() => client.close());
  const told = jest.fn();
  client.get$('/a').subscribe({ error: told });
  await eventually(() => told.mock.calls.length > 0);
  client.close();
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: 'TLS' }));
  await eventually(() => held.size === 0);
});
