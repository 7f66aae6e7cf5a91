import {
  EtcdClient,
  isAllNodesDown,
  isAuthenticationError,
  isUnsupportedByServer,
  type ConnectOptions,
} from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { freePorts } from '../../support/ports/free-port.js';
import { startHttpTap } from '../../support/proxies/http-tap.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer, type ScriptedHandler } from '../../support/scripted/scripted-server.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* What connect$ finds out before it hands a client over. */
const server = serverUnderTest();
const page = '<!DOCTYPE html><title>Shop</title>';

async function scripted(handler: ScriptedHandler): Promise<string> {
  const started = await firstValueFrom(startScriptedServer(handler));
  server.afterwards(() => firstValueFrom(started.close$()));
  return started.url;
}

async function connected(
  first: string | readonly string[] | ConnectOptions,
  rest?: ConnectOptions,
): Promise<EtcdClient> {
  const client = await firstValueFrom(EtcdClient.connect$(first as string, rest));
  server.afterwards(() => client.close());
  return client;
}

test('an etcd that has the key, or has not', async () => {
  expect(String(await connected(server.url))).toBe(`EtcdClient (open) ${server.url}`);
  expect(String(await connected({ endpoints: server.url, checkKey: '/not/there' }))).toContain('open');
  expect(String(await connected(server.url, { checkKey: 'not/there' }))).toContain('open');
});

test('nobody listens: it is told after 5 s at the latest', async () => {
  const [port] = await firstValueFrom(freePorts(1));
  const begun = performance.now();
  const error = await rejectionOf(EtcdClient.connect$(`127.0.0.1:${String(port)}`));
  expect(isAllNodesDown(error)).toBe(true);
  expect(performance.now() - begun).toBeLessThan(7_000);
});

test('a wrong password, and no right to read the key', async () => {
  const root = server.client({ auth: { username: 'root', password: 'pw' } });
  await firstValueFrom(root.auth.createUser$('root', 'pw'));
  await firstValueFrom(root.auth.enable$());
  server.afterwards(() => firstValueFrom(root.auth.disable$()));
  const wrong = { endpoints: server.url, auth: { username: 'root', password: 'no' } };
  const error = await rejectionOf(EtcdClient.connect$(wrong));
  expect(isAuthenticationError(error) ? error.message : error).toMatch(
    /^connect: .*wrong, or no right to read \/ /,
  );
  const other = await rejectionOf(EtcdClient.connect$({ ...wrong, checkKey: '/app/x' }));
  expect((other as Error).message).toContain('wrong, or no right to read /app/x');
  await connected({ ...wrong, auth: { username: 'root', password: 'pw' } });
});

test.each<[string, ScriptedHandler]>([
  ['a page for whatever is asked', () => ({ status: 200, body: page })],
  ['a static server', () => ({ status: 404, body: page })],
  ['one that says so as Go does', () => ({ status: 404, body: '404 page not found\n' })],
  ['a gateway that wants to know who asks', () => ({ status: 401, body: page })],
])('what is no etcd is told at once: %s', async (_, handler) => {
  const begun = performance.now();
  const error = await rejectionOf(EtcdClient.connect$(await scripted(handler)));
  expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
  expect((error as Error).message).toMatch(/no answer of etcd|is no etcd/);
  expect(performance.now() - begun).toBeLessThan(4_000);
});

test('an etcd without the v2 API says what to do', async () => {
  const tap = await firstValueFrom(startHttpTap(server.url));
  server.afterwards(() => firstValueFrom(tap.close$()));
  tap.instead = ({ path }) =>
    path.startsWith('/v2') ? { status: 404, body: '404 page not found\n' } : undefined;
  const error = await rejectionOf(EtcdClient.connect$(tap.url));
  expect(isUnsupportedByServer(error) ? error.message : error).toMatch(
    /import from 'rxetcd\/v3', or start etcd 3\.4 or 3\.5 with --enable-v2=true/,
  );
});

test('of several endpoints one is enough', async () => {
  const url = await scripted(() => ({ status: 200, body: page }));
  const client = await connected([url, server.url], { discover: false });
  expect(client.endpoints).toContain(server.url);
});
