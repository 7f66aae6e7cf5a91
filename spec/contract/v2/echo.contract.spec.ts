import axios from 'axios';
import { EtcdError, type ClientOptions } from 'rxetcd';
import { catchError, firstValueFrom, lastValueFrom, of, type Observable } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import { everythingIn } from '../../support/values/secrets.js';
import { startScriptedServer, type ScriptedRequest } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

const server = serverUnderTest();
const auth = { username: 'keeper', password: 'S3cr:et/pass+"wörd"\\' };
const given = 'an0ther <password>';
const token = btoa('some:0ne & else');

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const html = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${String(char.charCodeAt(0))};`);

/** As it travels, and as what sends it back may spell it. */
function forms(secret: string): string[] {
  const plain = [secret, base64(secret).replace(/=+$/, ''), encodeURIComponent(secret)];
  return plain.flatMap((text) => [text, json(text), json(json(text)), html(text), encodeURIComponent(text)]);
}

const secrets = [auth.password, `${auth.username}:${auth.password}`, given, token, '0ne & else'].flatMap(
  forms,
);

/** The request as it came. */
const echo = ({ method, path, query, headers, body }: ScriptedRequest): string =>
  `${method} ${path}?${query.toString()}\n${JSON.stringify(headers)}\n${body}`;

const page = (request: ScriptedRequest): string => `<html><pre>${html(echo(request))}</pre></html>`;

/** What it emits, or the error. */
const outcome = (call$: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(call$.pipe(catchError((error: unknown) => of(error))), { defaultValue: undefined });

async function fails(
  answer: (request: ScriptedRequest) => ScriptedAction,
  options: ClientOptions = {},
): Promise<{ errors: EtcdError[]; told: unknown[] }> {
  const scripted = await firstValueFrom(
    startScriptedServer((request) =>
      request.headers.authorization === undefined ? { status: 404, body: {} } : answer(request),
    ),
  );
  server.afterwards(() => firstValueFrom(scripted.close$()));
  const told: unknown[] = [];
  const client = server.client({
    endpoints: scripted.url,
    auth,
    discover: false,
    deadline: 5_000,
    retry: { max: 1 },
    ...options,
  });
  client.events$.subscribe((event) => told.push(event));
  client.logEvents({ level: 'debug', bodies: true, write: (line) => told.push(line) });
  const calls: Observable<unknown>[] = [
    client.get$('/k'),
    client.set$('/k', 'v'),
    client.members.list$(),
    client.auth.users$(),
    client.auth.createUser$('other', given, { roles: ['r'] }),
    client.auth.updateUser$('other', { password: given, grant: ['r'] }),
    client.stats.leader$(),
  ];
  const results = await Promise.all(calls.map(outcome));
  const watching = client.watch$('/k').subscribe({ error: (error: unknown) => told.push(error) });
  await eventually(() => /watch-(lost|ended)/.test(everythingIn(told)));
  watching.unsubscribe();
  const raw = await outcome(
    client.raw$('PUT', '/v2/auth/users/x', {
      data: { password: given },
      headers: { Authorization: `Basic ${token}` },
    }),
  );
  if (raw instanceof EtcdError) told.push(raw);
  expect(scripted.requests.some(({ body }) => body.includes('an0ther'))).toBe(true);
  return { errors: results.filter((error): error is EtcdError => error instanceof EtcdError), told };
}

test.each<[string, (request: ScriptedRequest) => ScriptedAction]>([
  ['a 400 with a message', (r) => ({ status: 400, body: { message: echo(r) } })],
  ['a 500 with a message in a message', (r) => ({ status: 500, body: { message: JSON.stringify(echo(r)) } })],
  ['an error of etcd', (r) => ({ status: 400, body: { errorCode: 209, message: 'x', cause: echo(r) } })],
  ['a page that says no', (r) => ({ status: 403, body: page(r) })],
  ['a page that says yes', (r) => ({ status: 200, body: page(r) })],
  ['text', (r) => ({ status: 200, body: `${'x'.repeat(450)}${echo(r)}` })],
  [
    'an answer of another key',
    (r) => ({ status: 200, body: { action: 'get', node: { key: `/${echo(r)}` } } }),
  ],
  [
    'a redirect',
    (r) => ({
      status: 307,
      headers: {
        Location: `http://${encodeURIComponent(auth.password).replace(/%/g, '')}.x/?${encodeURIComponent(echo(r))}`,
      },
      body: page(r),
    }),
  ],
  [
    'a line of a watch in pieces',
    (r) => ({
      status: 200,
      headers: { 'X-Etcd-Index': '5' },
      body: of(...(echo(r).match(/.{1,7}/gs) ?? []), '\n'),
    }),
  ],
])('a server that sends the request back as %s gives no credential away', async (_, answer) => {
  const { errors, told } = await fails(answer);
  expect(errors.length).toBeGreaterThan(3);
  const text = everythingIn([errors, told]);
  for (const secret of secrets)
    if (text.includes(secret)) throw new Error(`told ${secret} in\n${text.slice(0, 3_000)}`);
  expect(text).toContain('***');
});

test('a name of a compression may be anything, too', async () => {
  const { errors, told } = await fails((r) => ({
    status: 200,
    headers: { 'Content-Encoding': `x ${r.headers.authorization ?? ''}` },
    body: 'x',
  }));
  expect(errors.some(({ message }) => message.includes('content-encoding: x Basic ***'))).toBe(true);
  const text = everythingIn([errors, told]);
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test('what is cut is hidden before: no beginning of a password is left', async () => {
  const instance = axios.create();
  let before = 0;
  instance.interceptors.request.use(() => {
    throw new Error(`${'x'.repeat(before)} ${auth.username}:${auth.password}`);
  });
  const client = server.client({ auth, axios: instance, discover: false });
  for (before of [180, 185, 190, 480, 485, 490]) {
    const error = await outcome(client.get$('/k'));
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    expect(everythingIn([error])).not.toContain(auth.password.slice(0, 3));
  }
});

test('no body of authentication is kept', async () => {
  const { errors } = await fails(() => ({ status: 400, body: { message: 'no', password: 'a hash' } }));
  const bodies = errors.flatMap(({ message, attempts }) =>
    attempts.map(({ body }) => [message.split('.')[0], body]),
  );
  expect(bodies.filter(([called]) => called === 'auth').map(([, body]) => body)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(bodies.some(([, body]) => body !== undefined)).toBe(true);
});

test('the judgement is made of what was said, not of what is told', async () => {
  const { errors } = await fails(
    () => ({ status: 400, body: { errorCode: 100, message: 'Key not found', cause: '/k' } }),
    {
      auth: { username: 'u', password: 'errorCode' },
    },
  );
  expect(errors[0]).toMatchObject({
    code: 'API_ERROR',
    errorCode: 100,
    message: expect.stringContaining('Key not found') as string,
  });
});

test('a short password turns no text into noise', async () => {
  const options = { auth: { username: 'me', password: 'e' } };
  const { errors, told } = await fails(
    (r) => ({
      status: 400,
      body: { message: `the password=e of me:e was seen here, ${r.headers.authorization ?? ''}` },
    }),
    options,
  );
  const users = errors.find(({ message }) => message.startsWith('auth.users'));
  expect(users?.message).toContain('the password=*** of *** was seen here, Basic ***');
  expect(everythingIn(told)).not.toContain(base64('me:e').replace(/=+$/, ''));
});
