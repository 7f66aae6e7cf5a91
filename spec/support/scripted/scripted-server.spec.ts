import { connect } from 'node:net';
import { EMPTY, concat, firstValueFrom, map, of, throwError, timer } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { httpGet } from '../etcd/http-get.js';
import type { ScriptedAction } from './scripted-action.js';
import { startScriptedServer } from './scripted-server.js';
import type { ScriptedHandler, ScriptedServer } from './scripted-server.js';
import { afterEachTest } from '../jest/clean-up.js';

const afterwards = afterEachTest();

let server: ScriptedServer;
const start = async (handler: ScriptedHandler) =>
  (server = await firstValueFrom(startScriptedServer(handler)));
afterEach(() => firstValueFrom(server.close$()));

const ask = (path = '/', limit = 1_000) => firstValueFrom(httpGet(`${server.url}${path}`, limit));

describe('ScriptedServer', () => {
  test('records requests and answers them', async () => {
    await start(({ body }) => ({ status: 201, headers: { 'X-Etcd-Index': '7' }, body: { got: body } }));
    const answer = await fetch(`${server.url}/v2/keys/a%2Fb?x=1&y=2`, { method: 'PUT', body: 'value=1' });
    expect([answer.status, answer.headers.get('x-etcd-index'), answer.headers.get('content-type')]).toEqual([
      201,
      '7',
      'application/json',
    ]);
    expect(await answer.json()).toEqual({ got: 'value=1' });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'PUT', path: '/v2/keys/a%2Fb', body: 'value=1', aborted: false });
    expect([...(request?.query ?? [])]).toEqual([
      ['x', '1'],
      ['y', '2'],
    ]);
  });

  test('answers later, piece by piece, cut by an error', async () => {
    const actions: Record<string, ScriptedAction> = {
      '/pieces': { status: 200, body: concat(of('a'), timer(10).pipe(map(() => 'b'))) },
      '/broken': {
        status: 200,
        body: concat(
          of('a'),
          throwError(() => new Error()),
        ),
      },
      '/empty': { status: 200, body: EMPTY },
    };
    await start(({ path }) => timer(10).pipe(map(() => actions[path] ?? { status: 404 })));
    expect(await ask('/pieces')).toEqual({ status: 200, body: 'ab' });
    expect(await ask('/empty')).toEqual({ status: 200, body: '' });
    expect((await ask('/none')).status).toBe(404);
    await expect(ask('/broken')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('headers then silence, and silence; the abort is seen', async () => {
    await start(({ path }) =>
      path === '/headers' ? { headersThenSilence: { status: 200 } } : { silence: true },
    );
    const controller = new AbortController();
    const response = await fetch(`${server.url}/headers`, { signal: controller.signal });
    expect(response.status).toBe(200);
    expect(server.requests[0]?.aborted).toBe(false);
    controller.abort();
    await eventually(() => server.requests[0]?.aborted === true);
    await expect(ask('/', 100)).rejects.toThrow('within 100 ms');
    await eventually(() => server.requests[1]?.aborted === true);
  });

  test.each([
    ['end', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"act'],
    ['reset', ''],
    ['silence', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ] as const)('exact bytes, then %s', async (then, raw) => {
    await start(() => ({ raw, then }));
    let [received, ended] = ['', ''];
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    afterwards(() => socket.destroy());
    socket.on('data', (data) => (received += String(data)));
    socket.on('end', () => (ended = 'end')).on('error', () => (ended = 'reset'));
    await eventually(() => expect([received, ended]).toEqual([raw, then === 'silence' ? '' : then]));
  });

  test('reset', async () => {
    await start(() => ({ reset: true }));
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.requests[0]?.aborted).toBe(false);
  });

  test('a handler that throws is told to the client', async () => {
    await start(() => {
      throw new Error('not in the script');
    });
    expect(await ask()).toEqual({ status: 500, body: '{"message":"not in the script"}' });
  });

  test('close$ ends open connections', async () => {
    await start(() => ({ silence: true }));
    const answer = ask('/', 10_000);
    await eventually(() => server.connections === 1);
    const failed = expect(answer).rejects.toThrow();
    await firstValueFrom(server.close$());
    await failed;
    expect(server.connections).toBe(0);
  });
});
