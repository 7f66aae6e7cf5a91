import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import axios, { type AxiosInstance } from 'axios';
import { firstValueFrom, map, Subject, timer, type Observable } from 'rxjs';
import { EventBus, type ClientEvent } from '../../lib/events.js';
import { resolveOptions } from '../../lib/options.js';
import type { HttpPart, HttpRequest, HttpResponse } from '../../lib/transport/http.js';
import { TransportError } from '../../lib/transport/transport-error.js';
import { Transport, type Trace } from '../../lib/transport/transport.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/free-port.js';
import { rejectionOf } from '../support/rejection.js';
import type { ScriptedAction } from '../support/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedHandler,
  type ScriptedServer,
} from '../support/scripted-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

type Kind = 'lean' | "the user's axios over http" | "the user's axios over fetch";
const kinds: [Kind][] = [['lean'], ["the user's axios over http"], ["the user's axios over fetch"]];

const instances: Record<Kind, () => AxiosInstance | undefined> = {
  lean: () => undefined,
  "the user's axios over http": () => axios.create({ adapter: 'http' }),
  "the user's axios over fetch": () => axios.create({ adapter: 'fetch' }),
};

let server: ScriptedServer;
let events: EventBus;
const opened: Transport[] = [];

async function serve(handler: ScriptedHandler): Promise<void> {
  server = await firstValueFrom(startScriptedServer(handler));
}

function open(kind: Kind, instance = instances[kind](), connectTimeout = 1_000): Transport {
  events = new EventBus();
  const options = { connectTimeout, ...(instance === undefined ? {} : { axios: instance }) };
  const transport = new Transport(resolveOptions(options), events);
  opened.push(transport);
  return transport;
}

const requestOf = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  endpoint: server.url,
  path: '/v2/keys/a',
  timeout: 5_000,
  operation: 'get',
  pool: 'command',
  ...more,
});

/** The TransportError that it ends in. */
async function failureOf(exchange$: Observable<unknown>): Promise<TransportError> {
  const error = await rejectionOf(exchange$);
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

/** Collects the parts as they come. */
function collect(parts$: Observable<HttpPart>) {
  const seen = { parts: [] as HttpPart[], text: '', error: undefined as unknown, done: false };
  const subscription = parts$.subscribe({
    next: (part) => {
      seen.parts.push(part);
      if (part.type === 'text') seen.text += part.text;
    },
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.done = true),
  });
  return { seen, subscription };
}

afterEach(async () => {
  for (const transport of opened.splice(0)) transport.close();
  await firstValueFrom(server.close$());
});

describe.each(kinds)('an exchange, %s', (kind) => {
  test('hands over status, headers and the body as it is', async () => {
    await serve(() => ({ status: 201, headers: { 'X-Etcd-Index': '42' }, body: '{"action":"gét 🙂"}' }));
    const { status, headers, body } = await firstValueFrom(open(kind).exchange$(requestOf()));
    expect([status, headers.get('x-etcd-index'), body]).toEqual([201, '42', '{"action":"gét 🙂"}']);
    expect(headers.get('x-raft-term') ?? undefined).toBeUndefined();
  });

  test('sends method, path, form and credentials as they are given', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    await firstValueFrom(
      transport.exchange$(
        requestOf({
          method: 'PUT',
          path: '/v2/keys/a%20b/%F0%9F%99%82?prevValue=x%26y&wait=true',
          body: 'value=a%20b%26c&ttl=5',
          authorization: 'Basic cm9vdDpwdw==',
        }),
      ),
    );
    await firstValueFrom(transport.exchange$(requestOf({ method: 'DELETE' })));
    const [put, del] = server.requests;
    expect(put).toMatchObject({
      method: 'PUT',
      path: '/v2/keys/a%20b/%F0%9F%99%82',
      body: 'value=a%20b%26c&ttl=5',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '21',
        authorization: 'Basic cm9vdDpwdw==',
      },
    });
    expect(put?.query.get('prevValue')).toBe('x&y');
    expect(del).toMatchObject({ method: 'DELETE', body: '' });
    expect(del?.headers.authorization).toBeUndefined();
  });

  test.each([200, 201, 307, 400, 401, 404, 500, 503])('%i is an answer', async (status) => {
    await serve(({ path }) =>
      path === '/elsewhere'
        ? { status: 200, body: 'the redirect was followed' }
        : { status, headers: { Location: `${server.url}/elsewhere` }, body: 'as it is' },
    );
    const answer = await firstValueFrom(open(kind).exchange$(requestOf({ authorization: 'Basic x' })));
    expect([answer.status, answer.body]).toEqual([status, 'as it is']);
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['empty', ''],
    ['truncated JSON', '{"action":"get","no'],
    ['a number', '7'],
    ['HTML', '<html>502</html>'],
    ['with a byte order mark', '{"a":1}'],
  ])('a body is handed over undecoded: %s', async (_, body) => {
    await serve(() => ({ status: 200, body }));
    expect((await firstValueFrom(open(kind).exchange$(requestOf()))).body).toBe(body);
  });

  test('a large body arrives whole', async () => {
    const body = '🙂é'.repeat(500_000);
    await serve(() => ({ status: 200, body }));
    const answer = await firstValueFrom(open(kind).exchange$(requestOf()));
    expect(answer.body.length).toBe(body.length);
    expect(answer.body === body).toBe(true);
  });

  test('sequential commands use their connection again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    for (let i = 0; i < 20; i++) await firstValueFrom(transport.exchange$(requestOf()));
    expect(server.requests).toHaveLength(20);
    // undici does not touch a connection in the turn of the loop in which it answered, and so takes two in turn.
    expect(server.accepted).toBeLessThanOrEqual(2);
  });

  test('each subscription is one exchange, and none sends nothing', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const exchange$ = open(kind).exchange$(requestOf());
    expect(server.accepted).toBe(0);
    await firstValueFrom(exchange$);
    await firstValueFrom(exchange$);
    expect(server.requests).toHaveLength(2);
  });
});

describe.each(kinds)('in parts, %s', (kind) => {
  test('the head comes before the body, the body as it comes', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, headers: { 'X-Etcd-Index': '7' }, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf({ pool: 'watch' })));
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
    const { seen } = collect(open(kind).parts$(requestOf()));
    await eventually(() => seen.done);
    expect(seen.text).toBe('é🙂');
  });

  test('other statuses and empty bodies too', async () => {
    await serve(() => ({ status: 404, body: '' }));
    const { seen } = collect(open(kind).parts$(requestOf()));
    await eventually(() => seen.done);
    expect(seen.parts).toMatchObject([{ type: 'head', status: 404 }, { type: 'end' }]);
  });

  test('the limit is for the head alone: a body may take its time', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf({ timeout: 300 })));
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
    const error = await failureOf(open(kind).parts$(requestOf({ timeout: 100 })));
    expect(error).toMatchObject({ kind: 'timeout', sent: true, timeoutMs: 100 });
    await eventually(() => server.requests[0]?.aborted === true);
  });

  test('a reset behind the head', async () => {
    const body$ = new Subject<string>();
    await serve(() => ({ status: 200, body: body$ }));
    const { seen } = collect(open(kind).parts$(requestOf()));
    await eventually(() => seen.parts.length === 1);
    server.reset();
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toBeInstanceOf(TransportError);
    expect(seen.error).toMatchObject({ kind: 'reset', sent: true });
  });

  test('an orderly end of the connection in the middle of the body is an error too', async () => {
    await serve(() => ({
      raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      then: 'end',
    }));
    const { seen } = collect(open(kind).parts$(requestOf()));
    await eventually(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ kind: 'reset', sent: true });
    expect(seen.done).toBe(false);
  });

  test("unsubscribing closes the server's connection within 50 ms", async () => {
    await serve(() => ({ headersThenSilence: { status: 200 } }));
    const { seen, subscription } = collect(open(kind).parts$(requestOf({ pool: 'watch' })));
    await eventually(() => seen.parts.length === 1);
    expect(server.connections).toBe(1);
    subscription.unsubscribe();
    await eventually(() => server.requests[0]?.aborted === true, { within: 50, every: 1 });
    expect([seen.error, seen.done]).toEqual([undefined, false]);
  });
});

describe.each(kinds)('an exchange that fails, %s', (kind) => {
  test('no answer in time', async () => {
    await serve(() => ({ silence: true }));
    const trace: Trace = { sent: () => false };
    const error = await failureOf(open(kind).exchange$(requestOf({ timeout: 100 }), trace));
    expect(error).toMatchObject({
      kind: 'timeout',
      sent: true,
      timeoutMs: 100,
      message: 'timed out after 100 ms',
    });
    expect(trace.sent()).toBe(true);
    await eventually(() => server.requests[0]?.aborted === true);
  });

  test('headers, but no body in time', async () => {
    await serve(() => ({ headersThenSilence: { status: 200 } }));
    const error = await failureOf(open(kind).exchange$(requestOf({ timeout: 100 })));
    expect(error).toMatchObject({ kind: 'timeout', sent: true });
    await eventually(() => server.requests[0]?.aborted === true);
  });

  test('the connection is refused: nothing was sent', async () => {
    await serve(() => ({ silence: true }));
    const [port] = await firstValueFrom(freePorts(1));
    const trace: Trace = { sent: () => true };
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
    const trace: Trace = { sent: () => false };
    const error = await failureOf(open(kind).exchange$(requestOf({ method: 'PUT', body: 'value=1' }), trace));
    expect(error).toMatchObject({ kind: 'reset', sent: true });
    expect(trace.sent()).toBe(true);
    expect(server.requests).toHaveLength(1);
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

describe.each(kinds)('unsubscribing, %s', (kind) => {
  test("closes the server's connection within 50 ms", async () => {
    await serve(() => ({ silence: true }));
    const subscription = open(kind).exchange$(requestOf()).subscribe();
    await eventually(() => server.requests.length === 1);
    subscription.unsubscribe();
    await eventually(() => server.requests[0]?.aborted === true, { within: 50, every: 1 });
  });

  test('at once after subscribing sends nothing', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    for (const pool of ['command', 'watch'] as const) {
      transport
        .exchange$(requestOf({ path: '/cancelled', pool }))
        .subscribe()
        .unsubscribe();
      transport
        .parts$(requestOf({ path: '/cancelled', pool }))
        .subscribe()
        .unsubscribe();
    }
    // What was to be sent before this would have arrived before it.
    await firstValueFrom(transport.exchange$(requestOf({ path: '/next' })));
    await firstValueFrom(transport.exchange$(requestOf({ path: '/next', pool: 'watch' })));
    expect(server.requests.map((r) => r.path)).toEqual(['/next', '/next']);
  });

  test('after the answer does no harm: the connection is used again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open(kind);
    const answers: HttpResponse[] = [];
    const subscription = transport.exchange$(requestOf()).subscribe((answer) => answers.push(answer));
    await eventually(() => answers.length === 1);
    subscription.unsubscribe();
    await firstValueFrom(transport.exchange$(requestOf()));
    expect(server.accepted).toBe(1);
  });
});

// Over fetch the connections are the platform's.
describe.each(kinds.slice(0, 2))('what is unsubscribed while it waits, %s', (kind) => {
  test.each(['command', 'watch'] as const)('opens no other connection in its stead (%s)', async (pool) => {
    const n = 20;
    await serve(({ path }) => (path === '/next' ? { status: 200, body: '{}' } : { silence: true }));
    const transport = open(kind);
    const subscriptions = Array.from({ length: n }, () =>
      transport.parts$(requestOf({ pool })).subscribe({ error: () => undefined }),
    );
    await eventually(() => server.requests.length === n);
    const before = server.accepted;
    subscriptions.forEach((subscription) => subscription.unsubscribe());
    await eventually(() => server.requests.every((r) => r.aborted));
    // Whatever was to be opened comes before these are answered.
    for (let i = 0; i < 5; i++) await firstValueFrom(transport.exchange$(requestOf({ path: '/next', pool })));
    expect(server.accepted - before).toBeLessThanOrEqual(2);
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe.each(kinds)('events, %s', (kind) => {
  const secrets = {
    method: 'PUT' as const,
    path: '/v2/keys/a?prevValue=hush',
    body: 'value=hush',
    authorization: 'Basic hush',
    operation: 'set',
  };
  const at: unknown = expect.any(Date);
  const anyNumber: unknown = expect.any(Number);
  const described = () => ({ operation: 'set', endpoint: server.url, method: 'PUT', path: '/v2/keys/a' });

  test.each<[string, ScriptedAction, 'whole' | 'parts', object]>([
    ['an answer', { status: 200, headers: { 'X-Y': 'hush' }, body: 'hush' }, 'whole', { status: 200 }],
    ['an answer in parts', { status: 404, body: 'hush' }, 'parts', { status: 404 }],
    ['no answer', { reset: true }, 'whole', { error: matching(/^(ECONNRESET|UND_ERR_SOCKET)$/) }],
    ['silence', { silence: true }, 'whole', { error: 'timed out after 200 ms' }],
  ])('%s: request and response, without query, body or credentials', async (_, action, how, more) => {
    await serve(() => action);
    const transport = open(kind);
    const seen: ClientEvent[] = [];
    events.events$.subscribe((event) => seen.push(event));
    const request = requestOf({ ...secrets, timeout: 200 });
    const exchange$: Observable<unknown> =
      how === 'parts' ? transport.parts$(request) : transport.exchange$(request);
    exchange$.subscribe({ error: () => undefined });
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([
      { type: 'request', ...described(), at },
      { type: 'response', ...described(), ...more, durationMs: anyNumber, at },
    ]);
    expect(JSON.stringify(seen)).not.toContain('hush');
  });

  test('an abort is told once, as one', async () => {
    await serve(() => ({ silence: true }));
    const transport = open(kind);
    const seen: ClientEvent[] = [];
    events.events$.subscribe((event) => seen.push(event));
    const subscription = transport.exchange$(requestOf(secrets)).subscribe();
    await eventually(() => server.requests.length === 1);
    subscription.unsubscribe();
    await eventually(() => server.requests[0]?.aborted === true);
    expect(seen.map((e) => e.type)).toEqual(['request', 'response']);
    expect(seen[1]).toMatchObject({ error: 'aborted' });
  });
});

describe('close', () => {
  test.each(kinds.slice(0, 2))('%s: ends idle and busy connections', async (kind) => {
    await serve(({ path }) =>
      path === '/wait' ? { headersThenSilence: { status: 200 } } : { status: 200, body: '{}' },
    );
    const transport = open(kind);
    await firstValueFrom(transport.exchange$(requestOf()));
    await firstValueFrom(transport.exchange$(requestOf({ pool: 'watch' })));
    const { seen } = collect(transport.parts$(requestOf({ path: '/wait', pool: 'watch' })));
    await eventually(() => seen.parts.length === 1);
    expect(server.connections).toBeGreaterThan(1);
    transport.close();
    await eventually(() => server.connections === 0);
    await eventually(() => seen.error instanceof TransportError);
    transport.close();
  });
});

describe('the lean adapter', () => {
  test('a request that waits for a free connection is unsent, and never goes out once cancelled', async () => {
    await serve(() => ({ silence: true }));
    const transport = open('lean');
    const busy = Array.from({ length: 128 }, (_, i) =>
      transport.exchange$(requestOf({ path: `/busy/${String(i)}`, timeout: 30_000 })).subscribe(),
    );
    await eventually(() => server.requests.length === 128);
    expect(server.connections).toBe(128);

    const trace: Trace = { sent: () => true };
    const error = await failureOf(transport.exchange$(requestOf({ path: '/waiting', timeout: 100 }), trace));
    expect(error).toMatchObject({ kind: 'timeout', sent: false });
    expect(trace.sent()).toBe(false);
    const cancelled = transport.exchange$(requestOf({ path: '/cancelled' }), trace).subscribe();
    // Watches do not stand in that line.
    const watch = transport.parts$(requestOf({ path: '/watch', pool: 'watch' })).subscribe();
    await eventually(() => server.requests.length === 129);
    expect(trace.sent()).toBe(false);
    cancelled.unsubscribe();

    const next = transport.exchange$(requestOf({ path: '/next' }), trace).subscribe();
    busy.forEach((subscription) => subscription.unsubscribe());
    await eventually(() => server.requests.length === 130);
    expect(server.requests.map((r) => r.path).slice(128)).toEqual(['/watch', '/next']);
    expect(trace.sent()).toBe(true);
    watch.unsubscribe();
    next.unsubscribe();
  });

  test('a cancelled request in the line leaves the connections alone', async () => {
    const release$ = new Subject<ScriptedAction>();
    await serve(({ path }) => (path === '/busy' ? release$ : { status: 200, body: '{}' }));
    const transport = open('lean');
    for (let i = 0; i < 128; i++) transport.exchange$(requestOf({ path: '/busy' })).subscribe();
    await eventually(() => server.requests.length === 128);
    transport
      .exchange$(requestOf({ path: '/cancelled' }))
      .subscribe()
      .unsubscribe();
    const next = firstValueFrom(transport.exchange$(requestOf({ path: '/next' })));
    release$.next({ status: 200, body: '{}' });
    expect((await next).status).toBe(200);
    expect(server.accepted).toBe(128);
    expect(server.requests.map((r) => r.path)).not.toContain('/cancelled');
  });

  test('a handshake that is never answered ends by connectTimeout, unsent', async () => {
    await serve(() => ({ silence: true }));
    const frozen = await startFrozenServer();
    try {
      const begun = performance.now();
      const error = await failureOf(
        open('lean', undefined, 200).exchange$(requestOf({ endpoint: frozen.url, timeout: 20_000 })),
      );
      expect(error).toMatchObject({ kind: 'connect', sent: false, message: 'UND_ERR_CONNECT_TIMEOUT' });
      expect(performance.now() - begun).toBeLessThan(5_000);
    } finally {
      await frozen.close();
    }
  });

  test('a slow answer is no reason to give up connecting', async () => {
    await serve(() => timer(400).pipe(map((): ScriptedAction => ({ status: 200, body: '{}' }))));
    const answer = await firstValueFrom(open('lean', undefined, 100).exchange$(requestOf()));
    expect(answer.status).toBe(200);
  });

  test('a connection that the server ends while it idles is not used again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open('lean');
    await firstValueFrom(transport.exchange$(requestOf()));
    server.reset();
    await eventually(() => server.connections === 0);
    await firstValueFrom(timer(10));
    expect(
      (await firstValueFrom(transport.exchange$(requestOf({ method: 'PUT', body: 'value=1' })))).status,
    ).toBe(200);
    expect(server.accepted).toBe(2);
  });

  test('nothing is sent again behind our back', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const proxy = await firstValueFrom(startTcpProxy(server.url));
    try {
      const transport = open('lean');
      await firstValueFrom(transport.exchange$(requestOf({ endpoint: proxy.url })));
      proxy.pause('toClient');
      const put = failureOf(
        transport.exchange$(requestOf({ endpoint: proxy.url, method: 'PUT', body: 'value=1' })),
      );
      await eventually(() => server.requests.length === 2);
      proxy.reset();
      expect(await put).toMatchObject({ kind: 'reset', sent: true });
      proxy.resume();
      await firstValueFrom(transport.exchange$(requestOf({ endpoint: proxy.url, path: '/after' })));
      expect(server.requests.map((r) => r.method)).toEqual(['GET', 'PUT', 'GET']);
    } finally {
      await firstValueFrom(proxy.close$());
    }
  });
});

describe("the user's instance", () => {
  test.each(kinds.slice(1))(
    '%s: its interceptors see each request and answer, and may change them',
    async (kind) => {
      await serve(() => ({ status: 200, body: '{"a":1}' }));
      const instance = instances[kind]()!;
      const seen: string[] = [];
      instance.interceptors.request.use((config) => {
        seen.push(`${config.method ?? ''} ${config.url ?? ''}`);
        config.headers.set('X-Tenant', 'blue');
        return config;
      });
      instance.interceptors.response.use((response) => {
        seen.push(String(response.status));
        return response;
      });
      const transport = open(kind, instance);
      await firstValueFrom(transport.exchange$(requestOf()));
      expect(seen).toEqual([`get ${server.url}/v2/keys/a`, '200']);
      expect(server.requests[0]?.headers['x-tenant']).toBe('blue');
    },
  );

  test.each(kinds.slice(1))('%s: an interceptor that throws is an error of its own', async (kind) => {
    await serve(() => ({ status: 200, body: '{}' }));
    const instance = instances[kind]()!;
    instance.interceptors.request.use(() => {
      throw new Error('no token');
    });
    const error = await failureOf(open(kind, instance).exchange$(requestOf()));
    expect(error).toMatchObject({ kind: 'other', message: 'no token' });
    expect(server.requests).toEqual([]);
  });

  test.each(kinds.slice(1))('%s: its defaults do not bend ours', async (kind) => {
    await serve(() => ({ status: 503, body: '{"a":1}' }));
    const instance = instances[kind]()!;
    Object.assign(instance.defaults, {
      baseURL: 'http://elsewhere.invalid',
      timeout: 1,
      responseType: 'json',
      maxRedirects: 5,
      validateStatus: () => false,
      transformResponse: [() => 'changed'],
      transformRequest: [() => 'changed'],
    });
    const request = requestOf({ method: 'PUT', body: 'value=1' });
    const answer = await firstValueFrom(open(kind, instance).exchange$(request));
    expect([answer.status, answer.body]).toEqual([503, '{"a":1}']);
    expect(server.requests[0]?.body).toBe('value=1');
  });

  test('the agents that it brings are used, and closing the client leaves them alone', async () => {
    const { Agent } = await import('node:http');
    await serve(() => ({ status: 200, body: '{}' }));
    const httpAgent = new Agent({ keepAlive: true });
    const transport = open("the user's axios over http", axios.create({ httpAgent }));
    await firstValueFrom(transport.exchange$(requestOf()));
    transport.close();
    await eventually(() => Object.keys(httpAgent.freeSockets).length === 1);
    expect(server.connections).toBe(1);
    httpAgent.destroy();
  });
});

/** A server that is stopped and whose queue of connections is full: the kernel answers no handshake any more. */
async function startFrozenServer(): Promise<{ url: string; close: () => Promise<void> }> {
  const code = `const s = require('net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line);
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  const close = async (): Promise<void> => {
    fillers.forEach((socket) => socket.destroy());
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  // Fill the queue until a connection stays unanswered.
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    fillers.push(socket);
    return Promise.race([
      once(socket, 'connect').then(() => false),
      firstValueFrom(timer(200)).then(() => true),
    ]);
  });
  return { url: `http://127.0.0.1:${String(port)}`, close };
}
