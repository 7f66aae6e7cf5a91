/**
 * When undici calls `onConnect`: what a dispatch handler can know about whether
 * its request reached the wire.
 *
 *   node wire-state.js
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type Dispatcher } from 'undici';
import { freePort } from './etcd-server.js';

interface Trace {
  readonly name: string;
  readonly events: string[];
  readonly settled: Promise<void>;
  abort?: (error?: Error) => void;
}

function trace(name: string, pool: Pool, onConnect?: Trace['abort']): Trace {
  const start = performance.now();
  const events: string[] = [];
  const mark = (event: string): void =>
    void events.push(`${event} ${(performance.now() - start).toFixed(0)} ms`);
  let settle: () => void = () => undefined;
  const result: Trace = { name, events, settled: new Promise((resolve) => (settle = resolve)) };
  const handler: Dispatcher.DispatchHandlers = {
    onConnect(abort) {
      mark('onConnect');
      result.abort = abort;
      onConnect?.();
    },
    onHeaders(status) {
      mark(`headers ${status}`);
      return true;
    },
    onData: () => true,
    onComplete() {
      mark('complete');
      settle();
    },
    onError(error) {
      mark(`${error.name} ${(error as NodeJS.ErrnoException).code ?? ''} (${error.message})`);
      settle();
    },
  };
  pool.dispatch({ path: '/', method: 'GET' }, handler);
  return result;
}

async function report(title: string, traces: readonly Trace[], patience: number): Promise<void> {
  await Promise.race([Promise.all(traces.map(({ settled }) => settled)), sleep(patience)]);
  console.log(`\n${title}`);
  for (const { name, events } of traces) console.log(`  ${name}: ${events.join(', ') || 'nothing'}`);
}

async function refused(): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${await freePort()}`, { connections: 2 });
  await report(
    'refused port, 2 connections',
    ['1', '2', '3', '4'].map((n) => trace(n, pool)),
    2000,
  );
  await pool.destroy();
}

/** A stopped process whose kernel still completes as many handshakes as the backlog holds. */
async function frozen(): Promise<void> {
  const code = `const s = require('net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
  const child: ChildProcess = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise<number>((resolve) =>
      child.stdout!.once('data', (data) => resolve(Number(data))),
    );
    child.kill('SIGSTOP');
    await sleep(100);
    const pool = new Pool(`http://127.0.0.1:${port}`, {
      connections: 8,
      connectTimeout: 1500,
      headersTimeout: 3000,
    });
    const traces = ['1', '2', '3', '4'].map((n) => trace(n, pool));
    await report('frozen process, backlog 1, connectTimeout 1500, headersTimeout 3000', traces, 7000);
    await pool.destroy();
  } finally {
    child.kill('SIGKILL');
  }
}

async function saturated(): Promise<void> {
  const sockets: Socket[] = [];
  let silent = true;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (!silent) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const parked = trace('parked', pool);
  await sleep(50);
  const queued = trace('queued', pool);
  await report('saturated pool, 1 connection: while parked', [parked, queued], 300);
  silent = false;
  parked.abort?.();
  await report('saturated pool: after the parked one was aborted', [parked, queued], 1000);

  const before = sockets.length;
  const thrown = trace('throw in onConnect', pool, () => {
    throw new Error('cancelled');
  });
  await thrown.settled;
  const next = trace('next', pool);
  await report('cancelled by a throw in onConnect', [thrown, next], 1000);
  console.log(`  new connections: ${sockets.length - before}`);

  const again = sockets.length;
  const aborted: Trace = trace('abort() right after onConnect', pool, () =>
    queueMicrotask(() => aborted.abort?.()),
  );
  await aborted.settled;
  const after = trace('next', pool);
  await report('cancelled by abort()', [aborted, after], 1000);
  console.log(`  new connections: ${sockets.length - again}`);

  await pool.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
}

await refused();
await frozen();
await saturated();
