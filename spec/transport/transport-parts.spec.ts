import { firstValueFrom, Subject, timer } from 'rxjs';
import { TransportError } from '../../lib/transport/transport-error.js';
import { eventually } from '../support/jest/eventually.js';
import { asItIs, collect, failureOf, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe.each(kinds)('in parts, %s', (kind) => {
  test('the head comes before the body, the body as it comes', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, headers: { 'X-Etcd-Index': '7' }, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf({ pool: 'watch' }), asItIs));
    await eventually(() => seen.parts.length === 1);
    const [head] = seen.parts;
    expect(head).toMatchObject({ type: 'head', status: 200 });
    expect(head?.type === 'head' && head.headers.get('x-etcd-index')).toBe('7');
    body$.next('{"act');
    await eventually(() => seen.text === '{"act');
    expect(seen.done).toBe(false);
    body$.next('ion":1}');
    body$.complete();
    await eventually(() => seen.done);
    expect(seen.text).toBe('{"action":1}');
    expect(seen.error).toBeUndefined();
  });

  test('characters cut in two are put together again', async () => {
    const bytes = Buffer.from('é🙂');
    const chunk = (part: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
    const raw = Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ...Array.from(bytes, (byte) => chunk(Buffer.from([byte]))),
      Buffer.from('0\r\n\r\n'),
    ]);
    await serve(() => ({ raw, then: 'end' }));
    const { seen } = collect(open(kind).parts$(requestOf(), asItIs));
    await eventually(() => seen.done);
    expect(seen.text).toBe('é🙂');
  });

  test('other statuses and empty bodies too', async () => {
    await serve(() => ({ status: 404, body: '' }));
    const { seen } = collect(open(kind).parts$(requestOf(), asItIs));
    await eventually(() => seen.done);
    expect(seen.parts).toMatchObject([{ type: 'head', status: 404 }, { type: 'end' }]);
  });

  test('the limit is for the head alone: a body may take its time', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf({ timeout: 300 }), asItIs));
    await eventually(() => seen.parts.length === 1);
    await firstValueFrom(timer(400));
    expect(seen.error).toBeUndefined();
    body$.next('late');
    body$.complete();
    await eventually(() => seen.done);
    expect(seen.text).toBe('late');
  });

  test('no head in time', async () => {
    await serve(() => ({ silence: true }));
    const error = await failureOf(open(kind).parts$(requestOf({ timeout: 100 }), asItIs));
    expect(error).toMatchObject({ kind: 'timeout', sent: true, timeoutMs: 100 });
    await eventually(() => scripted.server.requests[0]?.aborted === true);
  });

  test('a reset behind the head', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf(), asItIs));
    await eventually(() => seen.parts.length === 1);
    scripted.server.reset();
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toBeInstanceOf(TransportError);
    expect(seen.error).toMatchObject({ kind: 'reset', sent: true });
  });

  test('an orderly end of the connection in the middle of the body is an error too', async () => {
    await serve(() => ({
      raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      then: 'end',
    }));
    const { seen } = collect(open(kind).parts$(requestOf(), asItIs));
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ kind: 'reset', sent: true });
    expect(seen.done).toBe(false);
  });

  test("unsubscribing closes the server's connection within 50 ms", async () => {
    await serve(() => ({ headersThenSilence: { status: 200 } }));
    const { seen, subscription } = collect(open(kind).parts$(requestOf({ pool: 'watch' }), asItIs));
    await eventually(() => seen.parts.length === 1);
    expect(scripted.server.connections).toBe(1);
    subscription.unsubscribe();
    await eventually(() => scripted.server.requests[0]?.aborted === true, { within: 50, every: 1 });
    expect([seen.error, seen.done]).toEqual([undefined, false]);
  });
});
