import { unfinishedLine } from '../../lib/transport/http1/unfinished-line.js';
import { gzipSync } from 'node:zlib';
import axios from 'axios';
import { concat, firstValueFrom, interval, map, NEVER, of, Subject } from 'rxjs';
import { UnusableError } from '../../lib/transport/unusable.js';
import { eventually } from '../support/jest/eventually.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { asItIs, collect, failureOf, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;
const max = 100_000;
const piece = 'x'.repeat(10_000);
/** A body that never ends. */
const flood = (): ScriptedAction => ({ status: 200, body: interval(1).pipe(map(() => piece)) });

describe.each(kinds)('an answer larger than its bound, %s', (kind) => {
  test.each<[string, () => ScriptedAction]>([
    ['that never ends', flood],
    ['with its length', () => ({ status: 200, body: 'x'.repeat(max + 1) })],
    ['that says it is short, and goes on in chunks', () => ({ ...flood(), headers: { 'X-Length': '10' } })],
    ['as an error', () => ({ ...flood(), status: 500 })],
  ])('%s is cut off', async (_, action) => {
    await serve(action);
    const error = await failureOf(open(kind).exchange$(requestOf({ maxBytes: max })));
    expect(error).toBeInstanceOf(UnusableError);
    expect(error).toMatchObject({ kind: 'unusable', sent: true });
    expect(error.message).toBe(`the answer is larger than ${String(max)} bytes, the option maxResponseBytes`);
    await eventually(
      () => scripted.server.connections === 0 || scripted.server.requests[0]?.aborted === false,
    );
  });

  test('one of exactly so many bytes is none', async () => {
    await serve(() => ({ status: 200, body: 'é'.repeat(max / 2) }));
    const answer = await firstValueFrom(open(kind).exchange$(requestOf({ maxBytes: max })));
    expect(answer.body).toHaveLength(max / 2);
  });

  test('of a probe it is told as that of a probe', async () => {
    await serve(flood);
    const error = await failureOf(open(kind).exchange$(requestOf({ maxBytes: max, operation: 'probe' })));
    expect(error).toMatchObject({ kind: 'other' });
    expect(error.message).toBe(`the answer is larger than ${String(max)} bytes, the bound of a probe`);
  });

  test('in parts the whole counts', async () => {
    await serve(() => ({ status: 200, body: interval(1).pipe(map(() => `${piece}\n`)) }));
    const { seen } = collect(open(kind).parts$(requestOf({ maxBytes: max, pool: 'watch' }), asItIs));
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ kind: 'unusable', status: 200 });
    expect(seen.text.length).toBeLessThanOrEqual(max);
    await eventually(() => scripted.server.connections === 0);
  });

  test('in lines each line counts, and not their sum', async () => {
    const more$ = new Subject<string>();
    await serve(() => ({ status: 200, body: more$ }));
    const request = requestOf({ maxBytes: max, pool: 'watch', count: unfinishedLine });
    const { seen } = collect(open(kind).parts$(request, asItIs));
    await eventually(() => seen.parts.length === 1);
    for (let i = 1; i <= 30; i++) {
      more$.next(`${piece}\n`);
      await eventually(() => seen.text.length === i * (piece.length + 1), { every: 1 });
    }
    expect(seen.error).toBeUndefined();
    for (let i = 0; i <= max / piece.length; i++) more$.next(piece);
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ kind: 'unusable' });
    await eventually(() => scripted.server.connections === 0);
  });

  test('a HEAD tells of a large body and has none', async () => {
    await serve(() => ({
      raw: `HTTP/1.1 200 OK\r\nContent-Length: ${String(2 * max)}\r\n\r\n`,
      then: 'silence',
    }));
    const answer = await firstValueFrom(open(kind).exchange$(requestOf({ method: 'HEAD', maxBytes: max })));
    expect([answer.status, answer.body]).toEqual([200, '']);
  });
});

describe.each(kinds)('compression, %s', (kind) => {
  const zipped = gzipSync('{"action":"set"}');
  const head = (status: number) =>
    `HTTP/1.1 ${String(status)} X\r\nContent-Encoding: gzip\r\nContent-Length: ${String(zipped.length)}\r\n\r\n`;
  const answerOf = (status: number): ScriptedAction => ({
    raw: Buffer.concat([Buffer.from(head(status)), zipped]),
    then: 'silence',
  });

  test('none is asked for', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    await firstValueFrom(open(kind).exchange$(requestOf()));
    expect(scripted.server.requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  test.each([200, 201, 412])('of a %i that comes all the same', async (status) => {
    await serve(() => answerOf(status));
    const exchange$ = open(kind).exchange$(requestOf());
    if (kind !== 'undici') {
      // axios reads it by itself.
      expect((await firstValueFrom(exchange$)).body).toBe('{"action":"set"}');
      return;
    }
    const error = await failureOf(exchange$);
    expect(error).toMatchObject({ kind: 'unusable', status, lasting: false });
    expect(error.message).toBe('the answer is compressed (content-encoding: gzip), by something in between');
  });
});

test('of an instance that does not decompress', async () => {
  const body = gzipSync('{"action":"get"}');
  await serve(() => ({
    raw: Buffer.concat([
      Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${String(body.length)}\r\n\r\n`,
      ),
      body,
    ]),
    then: 'silence',
  }));
  const transport = open("the user's axios over http", axios.create({ decompress: false }));
  expect((await failureOf(transport.exchange$(requestOf()))).message).toContain('content-encoding: gzip');
});

test('a watch that is answered compressed says so', async () => {
  const body = gzipSync('{}');
  await serve(() => ({
    status: 200,
    headers: { 'Content-Encoding': 'gzip' },
    body: concat(of(body.toString('latin1')), NEVER),
  }));
  const { seen } = collect(open('undici').parts$(requestOf({ pool: 'watch' }), asItIs));
  await eventually(() => seen.error !== undefined);
  expect(String(seen.error)).toContain('content-encoding: gzip');
});
