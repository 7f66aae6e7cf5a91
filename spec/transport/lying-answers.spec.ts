import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { firstValueFrom } from 'rxjs';
import type { TransportError } from '../../lib/transport/transport-error.js';
import { eventually } from '../support/jest/eventually.js';
import { failureOf, kinds, scriptedTransports } from './scripted-transports.js';

/* Answers that are not what they say. */
const scripted = scriptedTransports();
const { open, requestOf } = scripted;
beforeEach(() => scripted.serve(() => ({ silence: true })));

const max = 100_000;
const mega = 1_024 * 1_024;
/** More than that lies in no buffer between the server and a client that has stopped reading. */
const cutWithin = 32 * mega;
/** What a server says that nobody stops. */
const endless = 512 * mega;
const tooLarge = {
  kind: 'unusable',
  message: `the answer is larger than ${String(max)} bytes, the option maxResponseBytes`,
};

let server: Server | undefined;
/** One for each connection, in order. */
let sockets: Socket[];
afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  await new Promise((resolve) => server?.close(resolve));
});

/** Answers the requests of all connections in order, with these bytes or (from `flood`) without an end. */
async function saying(...answers: (string | Buffer | (() => Readable))[]): Promise<string> {
  sockets = [];
  let asked = 0;
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const answer = answers[asked++] ?? '';
      if (typeof answer === 'function') answer().pipe(socket);
      else socket.write(answer);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const headOf = (...lines: string[]) => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');

/** The same piece behind this head, again and again, as fast as it is read. */
const flood = (head: string, piece: Buffer) => (): Readable =>
  Readable.from(
    (function* () {
      yield Buffer.from(head);
      for (let said = 0; said < endless; said += piece.length) yield piece;
    })(),
  );
const piece = Buffer.alloc(64 * 1_024, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);

/** The server has been told that nobody wants more, early. */
async function expectCut(): Promise<void> {
  await eventually(() => sockets[0]?.closed === true);
  expect(sockets[0]?.bytesWritten).toBeLessThan(cutWithin);
}

describe.each(kinds)('%s', (kind) => {
  test.each([
    ['in chunks', headOf('Transfer-Encoding: chunked'), chunk],
    ['as long as it says', headOf(`Content-Length: ${String(endless)}`), piece],
    ['until the connection ends', headOf('Connection: close'), piece],
  ])('an endless answer, %s, is cut', async (_, head, more) => {
    const endpoint = await saying(flood(head, more));
    expect(await failureOf(open(kind).exchange$(requestOf({ endpoint, maxBytes: max })))).toMatchObject(
      tooLarge,
    );
    await expectCut();
  });

  test('one that says it is short, and goes on for ever, has no more than it says, and is cut', async () => {
    const endpoint = await saying(flood(headOf('Content-Length: 10'), piece));
    const answer = firstValueFrom(open(kind).exchange$(requestOf({ endpoint, maxBytes: max })));
    // Node's own client takes the whole for broken when all comes at once.
    const end = await answer.then(
      ({ body }) => body,
      (error: unknown) => [(error as TransportError).kind, (error as TransportError).sent],
    );
    expect([['reset', true], 'xxxxxxxxxx']).toContainEqual(end);
    await expectCut();
  });

  test('what comes behind an answer is no answer to the next request', async () => {
    const one = `${headOf('Content-Length: 3')}one`;
    const planted = `${headOf('Content-Length: 7')}planted`;
    const two = `${headOf('Content-Length: 3')}two`;
    const endpoint = await saying(one + planted, two);
    const transport = open(kind);
    const request = requestOf({ endpoint });
    expect((await firstValueFrom(transport.exchange$(request))).body).toBe('one');
    expect((await firstValueFrom(transport.exchange$(request))).body).toBe('two');
    expect(sockets).toHaveLength(2);
  });

  test('one that is shorter than it says is none', async () => {
    const endpoint = await saying(headOf('Content-Length: 1000'));
    const request = requestOf({ endpoint, method: 'PUT', timeout: 20_000 });
    const failure = failureOf(open(kind).exchange$(request));
    await eventually(() => sockets[0]?.bytesWritten !== undefined && sockets[0].bytesWritten > 0);
    sockets[0]?.end('{"action":');
    expect(await failure).toMatchObject({ kind: 'reset', sent: true });
  });

  test('nor is one whose chunks end in the middle', async () => {
    const endpoint = await saying(`${headOf('Transfer-Encoding: chunked')}5\r\n{"act\r\nzz\r\n`);
    const failure = await failureOf(open(kind).exchange$(requestOf({ endpoint, timeout: 20_000 })));
    expect(failure).toMatchObject({ kind: 'reset', sent: true });
  });

  test('little that unpacks to much is cut as well', async () => {
    const packed = gzipSync(Buffer.alloc(64 * mega, 'x'));
    const head = headOf('Content-Encoding: gzip', `Content-Length: ${String(packed.length)}`);
    const endpoint = await saying(Buffer.concat([Buffer.from(head), packed]));
    const before = process.memoryUsage().arrayBuffers;
    const failure = await failureOf(open(kind).exchange$(requestOf({ endpoint, maxBytes: max })));
    if (kind === 'undici') expect(failure.message).toContain('content-encoding: gzip');
    else expect(failure).toMatchObject(tooLarge);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * mega);
  });
});
