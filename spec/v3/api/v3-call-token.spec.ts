import { firstValueFrom, from, NEVER, Subject, timer, map, type Observable } from 'rxjs';
import {
  isAllNodesDown,
  isAuthenticationError,
  isOutcomeUnknown,
  isRequestTimeout,
  type EtcdError,
} from '../../../lib/errors.js';
import { isPermissionDenied } from '../../../lib/v3/errors.js';
import { v3Client, type V3UnderTest } from '../../support/etcd/v3-under-test.js';
import { eventually } from '../../support/jest/eventually.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../../support/scripted/scripted-server.js';
import { header } from '../wire/answers.js';

const key = Uint8Array.of(97);
const good: ScriptedAction = { status: 200, body: { header } };
const refusal = (status: number, message: string, code = 3): ScriptedAction => ({
  status,
  body: { code, message },
});
const stale = refusal(401, 'etcdserver: invalid auth token', 16);
const wrong = refusal(400, 'etcdserver: authentication failed, invalid user ID or password');
const off = refusal(400, 'etcdserver: authentication is not enabled', 9);
const password = 'hunter22';

let server: ScriptedServer;
let client: V3UnderTest;
/** What the server does with calls and with who asks for a token; by default it gives tokens and takes the last one. */
let onCall: (request: ScriptedRequest) => ScriptedAction | Observable<ScriptedAction>;
let onAuthenticate: () => ScriptedAction | Observable<ScriptedAction>;
/** The calls, without the probes: what was asked, with which token. */
let calls: string[];
let given: number;

const tokenOf = (n: number): string => `QhcCzfumaLrVJVzm.${n}`;
const next = (): ScriptedAction => ({ status: 200, body: { header, token: tokenOf((given += 1)) } });

beforeEach(async () => {
  calls = [];
  given = 0;
  onAuthenticate = next;
  onCall = ({ headers }) => (headers.authorization === tokenOf(given) ? good : stale);
  server = await firstValueFrom(
    startScriptedServer((request) => {
      const { cluster_id, member_id: ID } = header;
      const { path, headers } = request;
      if (path === '/v3/maintenance/status')
        return { status: 200, body: { header, version: '3.5.33', leader: ID } };
      if (path === '/v3/cluster/member/list')
        return {
          status: 200,
          body: { header: { cluster_id, member_id: ID }, members: [{ ID, clientURLs: [server.url] }] },
        };
      calls.push(`${path.split('/').at(-1)} ${headers.authorization ?? '-'}`);
      return path === '/v3/auth/authenticate' ? onAuthenticate() : onCall(request);
    }),
  );
  use({});
});
afterEach(async () => {
  client.core.close();
  await firstValueFrom(server.close$());
});

function use(options: object): void {
  (client as V3UnderTest | undefined)?.core.close();
  client = v3Client({
    endpoints: server.url,
    auth: { username: 'root', password },
    retry: { initialDelay: 1 },
    deadline: 5_000,
    ...options,
  });
}
const put = () => client.ask('KV', 'Put', { key, value: key });
const get = () => client.ask('KV', 'Range', { key });
const refusalOf = async (call: Promise<unknown>) => (await rejectionOf(from(call))) as EtcdError;
/** The server forgets all tokens, as after a restart. */
const forget = () => (given += 1);

test('name and password are exchanged for a token when one is needed, once for all calls', async () => {
  expect(calls).toEqual([]);
  await Promise.all([get(), put(), get()]);
  expect(calls.sort()).toEqual([
    'authenticate -',
    `put ${tokenOf(1)}`,
    `range ${tokenOf(1)}`,
    `range ${tokenOf(1)}`,
  ]);
  await get();
  expect(calls).toHaveLength(5);
});

test.each([
  [401, 'etcdserver: invalid auth token'],
  [400, 'etcdserver: user name is empty'],
  [400, 'etcdserver: revision of auth store is old'],
])('refused with %p %s: it is sent once more with a new token, a write too', async (status, message) => {
  await get();
  calls = [];
  forget();
  onCall = ({ headers }) => (headers.authorization === tokenOf(3) ? good : refusal(status, message));
  const retries: string[] = [];
  client.events.events$.subscribe((event) => {
    if (event.type === 'retry') retries.push(event.reason);
  });
  await put();
  expect(calls).toEqual([`put ${tokenOf(1)}`, 'authenticate -', `put ${tokenOf(3)}`]);
  expect(retries).toEqual([`${status} ${message}`]);
});

test('and never a second time', async () => {
  onCall = () => stale;
  const error = await refusalOf(put());
  expect(isAuthenticationError(error)).toBe(true);
  expect(calls).toEqual(['authenticate -', `put ${tokenOf(1)}`, 'authenticate -', `put ${tokenOf(2)}`]);
  expect(error.attempts).toHaveLength(2);
  await refusalOf(get());
  expect(calls).toHaveLength(8);
});

test('a retry that the caller forbids is none of these', async () => {
  use({ retry: { max: 0 } });
  await get();
  forget();
  await put();
  expect(calls.at(-1)).toBe(`put ${tokenOf(3)}`);
});

test('a write that may have been executed is not sent again, whatever its token has become', async () => {
  onCall = () => refusal(503, 'etcdserver: request timed out', 14);
  expect(isOutcomeUnknown(await refusalOf(put()))).toBe(true);
  expect(calls).toEqual(['authenticate -', `put ${tokenOf(1)}`]);
});

test('all calls under way when the server forgets the token share the next one', async () => {
  await get();
  calls = [];
  forget();
  await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? get() : put())));
  expect(calls.filter((call) => call.startsWith('authenticate'))).toHaveLength(1);
  expect(calls.filter((call) => call.endsWith(tokenOf(3)))).toHaveLength(50);
});

test('a late refusal of an older token does not cost the newer one', async () => {
  await get();
  forget();
  const late$ = new Subject<ScriptedAction>();
  const { length } = calls;
  onCall = ({ path, headers }) =>
    headers.authorization === tokenOf(given) ? good : path.endsWith('put') ? late$ : stale;
  const write = put();
  await eventually(() => calls.length === length + 1);
  await get();
  late$.next(stale);
  await write;
  expect(calls.slice(length)).toEqual([
    `put ${tokenOf(1)}`,
    `range ${tokenOf(1)}`,
    'authenticate -',
    `range ${tokenOf(3)}`,
    `put ${tokenOf(3)}`,
  ]);
});

test('a server with authentication off needs none; that is looked at anew when it does', async () => {
  onAuthenticate = () => off;
  onCall = ({ headers }) => (headers.authorization === undefined ? good : stale);
  await get();
  await put();
  expect(calls).toEqual(['authenticate -', 'range -', 'put -']);
  calls = [];
  onAuthenticate = next;
  onCall = ({ headers }) =>
    headers.authorization === undefined ? refusal(400, 'etcdserver: user name is empty') : good;
  await put();
  expect(calls).toEqual(['put -', 'authenticate -', `put ${tokenOf(1)}`]);
  calls = [];
  onAuthenticate = () => off;
  // Up to etcd 3.4 a server without authentication refuses any token.
  onCall = ({ headers }) => (headers.authorization === undefined ? good : stale);
  await get();
  expect(calls).toEqual([`range ${tokenOf(1)}`, 'authenticate -', 'range -']);
});

test('a wrong password is told at once to all who wait, and tried again by the next call', async () => {
  onAuthenticate = () => wrong;
  const errors = await Promise.all([refusalOf(get()), refusalOf(put())]);
  for (const error of errors) {
    expect(isAuthenticationError(error)).toBe(true);
    expect(error.message).toMatch(/^authenticate: etcdserver: authentication failed/);
  }
  expect(calls).toEqual(['authenticate -']);
  onAuthenticate = next;
  await get();
});

test('no right is no reason for another token', async () => {
  onCall = () => refusal(403, 'etcdserver: permission denied', 7);
  expect(isPermissionDenied(await refusalOf(get()))).toBe(true);
  expect(calls).toEqual(['authenticate -', `range ${tokenOf(1)}`]);
});

describe('where no token comes', () => {
  test('that is tried again, as any read', async () => {
    const answers = [refusal(503, 'etcdserver: leader changed', 14), { reset: true } as const];
    onAuthenticate = () => answers.shift() ?? next();
    await put();
    expect(calls.filter((call) => call.startsWith('authenticate'))).toHaveLength(3);
  });

  test('each call waits as long as it may, and is not sent', async () => {
    onAuthenticate = () => NEVER;
    use({ deadline: 300 });
    const startedAt = performance.now();
    const error = await refusalOf(put());
    expect(isRequestTimeout(error) || isAllNodesDown(error)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(calls).toEqual(['authenticate -']);
  });

  test('the wait counts against the deadline of the call', async () => {
    onAuthenticate = () => timer(1_000).pipe(map(() => next()));
    onCall = () => NEVER;
    use({ deadline: 1_500 });
    const startedAt = performance.now();
    expect(isRequestTimeout(await refusalOf(get()))).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(2_450);
  });

  test('who leaves while waiting asks no longer, once nobody else does', async () => {
    onAuthenticate = () => NEVER;
    const [first, second] = [1, 2].map(() => client.tokens?.wait$()?.subscribe());
    const asked = () => server.requests.filter(({ path }) => path.endsWith('authenticate'));
    await eventually(() => asked().length === 1);
    first?.unsubscribe();
    expect(asked()[0]?.aborted).toBe(false);
    second?.unsubscribe();
    await eventually(() => asked()[0]?.aborted === true);
  });
});

test('who has no name and no password sends no token, and is told what is missing', async () => {
  use({ auth: undefined });
  onCall = () => refusal(400, 'etcdserver: user name is empty');
  const error = await refusalOf(put());
  expect(error.message).toContain('(no credentials were given: option auth)');
  expect(calls).toEqual(['put -']);
});

test('neither password nor token is told, not even of what echoes them', async () => {
  const told: unknown[] = [];
  client.events.events$.subscribe((event) => told.push(event));
  client.events.bodies$.subscribe((body) => told.push(body));
  const echo = (text: string) => refusal(400, `you sent ${text}`);
  onAuthenticate = () => echo(password);
  told.push(String(await refusalOf(get())), await refusalOf(get()));
  onAuthenticate = next;
  onCall = ({ headers }) => echo(headers.authorization ?? '');
  told.push(String(await refusalOf(get())), await refusalOf(put()));
  onCall = () => stale;
  told.push(await refusalOf(put()));
  const text = told.map((one) => (one instanceof Error ? one.message : JSON.stringify(one))).join('\n');
  expect(text).toContain('you sent ***');
  expect(text).not.toContain(password);
  expect(text).not.toContain('QhcCzfum');
});
