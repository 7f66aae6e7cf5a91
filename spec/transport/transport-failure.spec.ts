import { firstValueFrom } from 'rxjs';
import { wasSent, type Trace } from '../../lib/transport/transport.js';
import { eventually } from '../support/jest/eventually.js';
import { freePorts } from '../support/ports/free-port.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { failureOf, kinds, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe.each(kinds)('an exchange that fails, %s', (kind) => {
  test('no answer in time', async () => {
    await serve(() => ({ silence: true }));
    const trace: Trace = {};
    const error = await failureOf(open(kind).exchange$(requestOf({ timeout: 100 }), trace));
    expect(error).toMatchObject({
      kind: 'timeout',
      sent: true,
      timeoutMs: 100,
      message: 'timed out after 100 ms',
    });
    expect(wasSent(trace)).toBe(true);
    await eventually(() => scripted.server.requests[0]?.aborted === true);
  });

  test('headers, but no body in time', async () => {
    await serve(() => ({ headersThenSilence: { status: 200 } }));
    const error = await failureOf(open(kind).exchange$(requestOf({ timeout: 100 })));
    expect(error).toMatchObject({ kind: 'timeout', sent: true });
    await eventually(() => scripted.server.requests[0]?.aborted === true);
  });

  test('the connection is refused: nothing was sent', async () => {
    await serve(() => ({ silence: true }));
    const [port] = await firstValueFrom(freePorts(1));
    const trace: Trace = {};
    const error = await failureOf(
      open(kind).exchange$(requestOf({ endpoint: `http://127.0.0.1:${String(port)}` }), trace),
    );
    expect(error).toMatchObject({ kind: 'connect', sent: false, message: 'ECONNREFUSED' });
  });

  test('the host is unknown: nothing was sent', async () => {
    await serve(() => ({ silence: true }));
    const error = await failureOf(
      open(kind).exchange$(requestOf({ endpoint: 'http://does-not-exist.invalid:2379' })),
    );
    expect(error).toMatchObject({ kind: 'connect', sent: false });
  });

  test.each<[string, ScriptedAction]>([
    ['a reset before the head', { reset: true }],
    ['a reset within the head', { raw: 'HTTP/1.1 200 OK\r\nContent-Le', then: 'reset' }],
    ['an end within the head', { raw: 'HTTP/1.1 200 OK\r\nContent-Le', then: 'end' }],
    ['a reset behind the head', { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', then: 'reset' }],
    ['a reset within the body', { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"act', then: 'reset' }],
    ['an end within the body', { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"act', then: 'end' }],
    [
      'an end between two chunks',
      { raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', then: 'end' },
    ],
    [
      'an end within a chunk',
      { raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe', then: 'end' },
    ],
    ['no HTTP at all', { raw: 'SSH-2.0-OpenSSH_9.6\r\n', then: 'silence' }],
    ['an end without an answer', { raw: '', then: 'end' }],
  ])('%s: it was sent', async (_, action) => {
    await serve(() => action);
    const trace: Trace = {};
    const error = await failureOf(open(kind).exchange$(requestOf({ method: 'PUT', body: 'value=1' }), trace));
    expect(error).toMatchObject({ kind: 'reset', sent: true });
    expect(wasSent(trace)).toBe(true);
    expect(scripted.server.requests).toHaveLength(1);
  });

  test('a failure holds nothing but words', async () => {
    await serve(() => ({ reset: true }));
    const secrets = { authorization: 'Basic hush', path: '/v2/keys/a?prevValue=hush', body: 'value=hush' };
    const error = await failureOf(open(kind).exchange$(requestOf(secrets)));
    expect(Object.keys(error).sort()).toEqual([
      'kind',
      'name',
      'sent',
      ...('timeoutMs' in error ? ['timeoutMs'] : []),
    ]);
    expect(error.message + (error.stack ?? '')).not.toContain('hush');
  });

  test('the next exchange is as good as new', async () => {
    let bad = true;
    await serve(() => (bad ? { reset: true } : { status: 200, body: 'fine' }));
    const transport = open(kind);
    await failureOf(transport.exchange$(requestOf()));
    bad = false;
    expect((await firstValueFrom(transport.exchange$(requestOf()))).body).toBe('fine');
  });
});
