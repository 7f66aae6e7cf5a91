import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Subject } from 'rxjs';
import { EventBus } from '../../../lib/insight/events.js';
import { resolveOptions } from '../../../lib/options.js';
import { Transport } from '../../../lib/transport/transport.js';
import { eventually } from '../../support/jest/eventually.js';
import { asItIs, collect } from '../scripted-transports.js';

let server: Server;
let transport: Transport;
let handler: (asked: IncomingMessage, answer: ServerResponse) => void;
const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const ask = (rest$: Subject<string>, body = 'first ') =>
  collect(
    transport.parts$(
      {
        method: 'POST',
        endpoint: endpoint(),
        path: '/v3/watch',
        body,
        rest$,
        contentType: 'application/json',
        timeout: 5_000,
        operation: 'watch',
        pool: 'watch',
      },
      asItIs,
    ),
  );

beforeEach(async () => {
  server = createServer((asked, answer) => {
    handler(asked, answer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  transport = new Transport(resolveOptions({}), new EventBus());
});
afterEach(async () => {
  transport.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test('is read while it goes on, and answered meanwhile, on a connection that is not kept', async () => {
  let headers: IncomingMessage['headers'] = {};
  handler = (asked, answer) => {
    headers = asked.headers;
    answer.flushHeaders();
    asked.pipe(answer);
  };
  const rest$ = new Subject<string>();
  const { seen } = ask(rest$);
  await eventually(() => seen.text === 'first ');
  rest$.next('sécond ');
  await eventually(() => seen.text === 'first sécond ');
  rest$.next('third');
  rest$.complete();
  await eventually(() => seen.done);
  expect(seen.text).toBe('first sécond third');
  expect(headers).toMatchObject({
    connection: 'close',
    'transfer-encoding': 'chunked',
    'content-type': 'application/json',
  });
});

test('what is said before there is a connection is not lost', async () => {
  handler = (asked, answer) => asked.pipe(answer);
  const rest$ = new Subject<string>();
  const { seen } = ask(rest$, '');
  rest$.next('1');
  rest$.next('2');
  await eventually(() => seen.text === '12');
});

test('ends with its request, and its connection too', async () => {
  let closed = false;
  handler = (asked, answer) => {
    asked.on('close', () => (closed = true));
    answer.write('on');
  };
  const rest$ = new Subject<string>();
  const { seen, subscription } = ask(rest$);
  await eventually(() => seen.text === 'on');
  subscription.unsubscribe();
  await eventually(() => closed);
  await eventually(() => !rest$.observed);
});

test.each([
  ['breaks', (asked: IncomingMessage) => void asked.socket.destroy()],
  ['is cut off within its answer', (asked: IncomingMessage) => void asked.socket.end()],
])('a connection that %s is told as such', async (_, happens) => {
  handler = (asked, answer) => {
    answer.write('on');
    setImmediate(() => {
      happens(asked);
    });
  };
  const rest$ = new Subject<string>();
  const { seen } = ask(rest$);
  await eventually(() => seen.error !== undefined);
  expect(seen.error).toMatchObject({ name: 'TransportError', kind: 'reset' });
  await eventually(() => !rest$.observed);
});

test('to a port where nobody listens it is an error as well', async () => {
  const rest$ = new Subject<string>();
  const url = endpoint();
  server.close();
  await once(server, 'close');
  const { seen } = collect(
    transport.parts$(
      { method: 'POST', endpoint: url, path: '/', rest$, timeout: 5_000, operation: 'watch', pool: 'watch' },
      asItIs,
    ),
  );
  await eventually(() => seen.error !== undefined);
  expect(seen.error).toMatchObject({ kind: 'connect', sent: false });
  await eventually(() => !rest$.observed);
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
