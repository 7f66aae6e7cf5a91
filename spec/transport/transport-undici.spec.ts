import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { firstValueFrom, map, Subject, timer } from 'rxjs';
import { buildConnector } from 'undici';
import { wasSent, type Trace } from '../../lib/transport/transport.js';
import { eventually } from '../support/jest/eventually.js';
import type { ScriptedAction } from '../support/scripted/scripted-action.js';
import { startTcpProxy } from '../support/proxies/tcp-proxy.js';
import { asItIs, failureOf, scriptedTransports } from './scripted-transports.js';

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe('over undici', () => {
  test('a request that waits for a free connection is unsent, and never goes out once cancelled', async () => {
    await serve(() => ({ silence: true }));
    const transport = open('undici');
    const busy = Array.from({ length: 128 }, (_, i) =>
      transport.exchange$(requestOf({ path: `/busy/${String(i)}`, timeout: 30_000 })).subscribe(),
    );
    await eventually(() => scripted.server.requests.length === 128);
    expect(scripted.server.connections).toBe(128);

    const trace: Trace = {};
    const cancelled = transport.exchange$(requestOf({ path: '/cancelled' }), trace).subscribe();
    // Watches do not stand in that line.
    const watch = transport.parts$(requestOf({ path: '/watch', pool: 'watch' }), asItIs).subscribe();
    await eventually(() => scripted.server.requests.length === 129);
    expect(wasSent(trace)).toBe(false);
    cancelled.unsubscribe();

    const next = transport.exchange$(requestOf({ path: '/next' }), trace).subscribe();
    busy.forEach((subscription) => subscription.unsubscribe());
    await eventually(() => scripted.server.requests.length === 130);
    expect(scripted.server.requests.map((r) => r.path).slice(128)).toEqual(['/watch', '/next']);
    expect(wasSent(trace)).toBe(true);
    watch.unsubscribe();
    next.unsubscribe();
  });

  test('a cancelled request in the line leaves the connections alone', async () => {
    const release$ = new Subject<ScriptedAction>();
    await serve(({ path }) => (path === '/busy' ? release$ : { status: 200, body: '{}' }));
    const transport = open('undici');
    for (let i = 0; i < 128; i++) transport.exchange$(requestOf({ path: '/busy' })).subscribe();
    await eventually(() => scripted.server.requests.length === 128);
    transport
      .exchange$(requestOf({ path: '/cancelled' }))
      .subscribe()
      .unsubscribe();
    const next = firstValueFrom(transport.exchange$(requestOf({ path: '/next' })));
    release$.next({ status: 200, body: '{}' });
    expect((await next).status).toBe(200);
    expect(scripted.server.accepted).toBe(128);
    expect(scripted.server.requests.map((r) => r.path)).not.toContain('/cancelled');
  });

  test('a handshake that is never answered ends by connectTimeout, unsent', async () => {
    await serve(() => ({ silence: true }));
    const frozen = await startFrozenServer();
    try {
      const begun = performance.now();
      const error = await failureOf(
        open('undici', undefined, 200).exchange$(requestOf({ endpoint: frozen.url, timeout: 20_000 })),
      );
      expect(error).toMatchObject({ kind: 'connect', sent: false, message: 'UND_ERR_CONNECT_TIMEOUT' });
      expect(performance.now() - begun).toBeLessThan(5_000);
    } finally {
      await frozen.close();
    }
  });

  test('it ends long before a handshake that may last seven times as long', async () => {
    await serve(() => ({ silence: true }));
    const frozen = await startFrozenServer();
    try {
      const { hostname, port, protocol } = new URL(frozen.url);
      const ended: string[] = [];
      const other = new Promise<void>((resolve) => {
        // Begun first: however slow the machine, its timer is due later.
        buildConnector({ timeout: 1_400 })({ hostname, port, protocol }, () => {
          ended.push('other');
          resolve();
        });
      });
      const request = requestOf({ endpoint: frozen.url, timeout: 20_000 });
      await failureOf(open('undici', undefined, 200).exchange$(request));
      ended.push('ours');
      await other;
      expect(ended).toEqual(['ours', 'other']);
    } finally {
      await frozen.close();
    }
  });

  test('a slow answer is no reason to give up connecting', async () => {
    await serve(() => timer(400).pipe(map((): ScriptedAction => ({ status: 200, body: '{}' }))));
    const answer = await firstValueFrom(open('undici', undefined, 100).exchange$(requestOf()));
    expect(answer.status).toBe(200);
  });

  test('a connection that the server ends while it idles is not used again', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const transport = open('undici');
    await firstValueFrom(transport.exchange$(requestOf()));
    scripted.server.reset();
    await eventually(() => scripted.server.connections === 0);
    await firstValueFrom(timer(10));
    expect(
      (await firstValueFrom(transport.exchange$(requestOf({ method: 'PUT', body: 'value=1' })))).status,
    ).toBe(200);
    expect(scripted.server.accepted).toBe(2);
  });

  test('nothing is sent again behind our back', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    const proxy = await firstValueFrom(startTcpProxy(scripted.server.url));
    try {
      const transport = open('undici');
      await firstValueFrom(transport.exchange$(requestOf({ endpoint: proxy.url })));
      proxy.pause('toClient');
      const put = failureOf(
        transport.exchange$(requestOf({ endpoint: proxy.url, method: 'PUT', body: 'value=1' })),
      );
      await eventually(() => scripted.server.requests.length === 2);
      proxy.reset();
      expect(await put).toMatchObject({ kind: 'reset', sent: true });
      proxy.resume();
      await firstValueFrom(transport.exchange$(requestOf({ endpoint: proxy.url, path: '/after' })));
      expect(scripted.server.requests.map((r) => r.method)).toEqual(['GET', 'PUT', 'GET']);
    } finally {
      await firstValueFrom(proxy.close$());
    }
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
