import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { NEVER, firstValueFrom } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { httpGet } from '../etcd/http-get.js';
import { startScriptedServer } from '../scripted/scripted-server.js';
import type { ScriptedServer } from '../scripted/scripted-server.js';
import { startTcpProxy } from './tcp-proxy.js';
import type { TcpProxy } from './tcp-proxy.js';
import { afterEachTest } from '../jest/clean-up.js';

const afterwards = afterEachTest();

let server: ScriptedServer;
let proxy: TcpProxy;
let cut = false;

beforeEach(async () => {
  cut = false;
  server = await firstValueFrom(
    startScriptedServer(({ path }) =>
      path === '/wait' ? { status: 200, body: NEVER } : { status: 200, body: 'hello' },
    ),
  );
  proxy = await firstValueFrom(startTcpProxy(server.url, { cutAfterHeaders: () => cut }));
});
afterEach(async () => {
  await firstValueFrom(proxy.close$());
  await firstValueFrom(server.close$());
});

const ask = (path = '/', limit = 1_000) => firstValueFrom(httpGet(`${proxy.url}${path}`, limit));

describe('TcpProxy', () => {
  test('forwards and counts, and forgets ended connections', async () => {
    expect((await ask()).body).toBe('hello');
    expect((await ask()).body).toBe('hello');
    expect(proxy.accepted).toBe(2);
    await eventually(() => proxy.connections === 0);
  });

  test('an abort of the client reaches the target', async () => {
    const subscription = httpGet(`${proxy.url}/wait`, 10_000).subscribe();
    await eventually(() => server.requests.length === 1);
    expect(proxy.connections).toBe(1);
    subscription.unsubscribe();
    await eventually(() => server.requests[0]?.aborted === true);
    await eventually(() => proxy.connections === 0);
  });

  test('pause: nothing passes on old and new connections until resume', async () => {
    proxy.pause();
    const answer = ask('/', 10_000);
    await expect(ask('/', 100)).rejects.toThrow('within 100 ms');
    expect(server.requests).toHaveLength(0);
    expect(proxy.connections).toBe(2);
    proxy.resume();
    expect((await answer).body).toBe('hello');
  });

  test('pause one way: the request arrives, the answer does not; or neither', async () => {
    proxy.pause('toClient');
    const answer = ask('/', 10_000);
    await eventually(() => server.requests.length === 1);
    await expect(
      Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 50, 'silence'))]),
    ).resolves.toBe('silence');
    proxy.resume();
    expect((await answer).body).toBe('hello');
    proxy.pause('toTarget');
    await expect(ask('/', 100)).rejects.toThrow('within 100 ms');
    expect(server.requests).toHaveLength(1);
  });

  test('reset ends both sides', async () => {
    const answer = ask('/wait', 10_000);
    await eventually(() => server.requests.length === 1);
    proxy.reset();
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    await eventually(() => server.connections === 0 && proxy.connections === 0);
  });

  test('a reset by the target becomes one for the client, a target that refuses as well', async () => {
    const answer = ask('/wait', 10_000);
    await eventually(() => server.requests.length === 1);
    server.reset();
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    await firstValueFrom(server.close$());
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('refuse leaves open connections alone; accept$ listens on the same port', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    afterwards(() => agent.destroy());
    const { url } = proxy;
    expect(await throughAgent(agent, url)).toBe('hello');
    proxy.refuse();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await throughAgent(agent, url)).toBe('hello');
    await firstValueFrom(proxy.accept$());
    expect(proxy.url).toBe(url);
    expect((await ask()).body).toBe('hello');
  });

  test('retarget leads new connections elsewhere', async () => {
    const other = await firstValueFrom(startScriptedServer(() => ({ status: 200, body: 'other' })));
    afterwards(() => firstValueFrom(other.close$()));
    proxy.retarget(other.url);
    expect((await ask()).body).toBe('other');
  });

  test('cutAfterHeaders: headers arrive, the body does not', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    afterwards(() => agent.destroy());
    expect(await throughAgent(agent, proxy.url)).toBe('hello');
    cut = true;
    const response = await open(agent, proxy.url);
    expect(response.statusCode).toBe(200);
    let body = '';
    const ended = new Promise((resolve) => response.on('error', resolve).on('end', resolve));
    response.on('data', (part: Buffer) => (body += part.toString()));
    expect(await ended).toMatchObject({ code: 'ECONNRESET' });
    expect(body).toBe('');
    expect(server.requests).toHaveLength(2);
  });

  test('carries megabytes both ways', async () => {
    const big = 'x'.repeat(5_000_000);
    const echo = await firstValueFrom(startScriptedServer(({ body }) => ({ status: 200, body })));
    afterwards(() => firstValueFrom(echo.close$()));
    proxy.retarget(echo.url);
    const answer = await fetch(proxy.url, { method: 'PUT', body: big });
    expect((await answer.text()).length).toBe(big.length);
  });
});

function open(agent: Agent, url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request(url, { agent }, resolve).on('error', reject).end());
}

async function throughAgent(agent: Agent, url: string): Promise<string> {
  let body = '';
  for await (const part of await open(agent, url)) body += String(part);
  return body;
}
