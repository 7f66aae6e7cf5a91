import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { isStandingStill } from '../../support/etcd/process-state.js';
import { ScriptRunner, type RunningScript } from '../../support/programs/run-script.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { startTcpProxy } from '../../support/proxies/tcp-proxy.js';
import type { TcpLink } from '../../support/proxies/tcp-link.js';

/* The process of a client stands still while its calls are answered: the answers lie in its sockets when it goes on. */
const server = serverUnderTest();
let runner: ScriptRunner;
beforeAll(() => {
  runner = new ScriptRunner();
});
afterAll(() => runner.remove());

const timeout = 3_000;
const deadline = 4_000;
const standstill = 5_000;
/** Of each of two clients: a read, a read with a quorum and a write. */
const callsUnderTest = 6;

const program = (endpoint: string, held: string, whenAnswered: string) => `
  import axios from 'axios';
  import { writeSync } from 'node:fs';
  import { firstValueFrom } from 'rxjs';
  import { EtcdClient } from './index.js';
  const options = {
    endpoints: '${endpoint}', discover: false, heartbeat: false, timeout: ${timeout}, deadline: ${deadline},
  };
  const clients = [new EtcdClient(options), new EtcdClient({ ...options, axios: axios.create() })];
  let retries = 0;
  for (const client of clients) {
    await firstValueFrom(client.refreshCluster$());
    client.events$.subscribe(({ type }) => (retries += type === 'retry' ? 1 : 0));
  }
  const calls = clients.flatMap((client, i) => [
    client.get$('${held}'),
    client.get$('${held}', { quorum: true }),
    client.set$('${held}/' + i, 'v'),
  ]);
  const ends = calls.map((call) => firstValueFrom(call).then(() => 'value', String));
  ${whenAnswered}
  console.log(JSON.stringify({ ends: await Promise.all(ends), retries }));
  clients.forEach((client) => client.close());
`;

/** A proxy that keeps the answers about that key to itself; those that it keeps. */
async function keeping(key: string) {
  const kept = new Set<TcpLink>();
  const answering = (link: TcpLink): void => {
    if (!link.asked.includes(`/v2/keys${key}`)) return;
    link.hold('toClient');
    kept.add(link);
  };
  const proxy = await firstValueFrom(startTcpProxy(server.url, { answering }));
  server.afterwards(() => firstValueFrom(proxy.close$()));
  return { url: proxy.url, all: () => kept.size === callsUnderTest, release: () => proxy.resume() };
}

const everythingWorked = {
  exitCode: 0,
  stdout: expect.stringContaining(
    JSON.stringify({ ends: Array<string>(callsUnderTest).fill('value'), retries: 0 }),
  ) as string,
  stderr: '',
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('stopped for longer than timeout and deadline, its calls have their values', async () => {
  const key = server.key();
  await firstValueFrom(server.client().setDir$(key));
  const answers = await keeping(key);
  let child: RunningScript | undefined;
  const result = runner.run(program(answers.url, key, ''), {
    limit: 30_000,
    started: (running) => (child = running),
  });
  await eventually(answers.all);
  child?.kill('SIGSTOP');
  await eventually(() => isStandingStill(child?.pid ?? 0));
  answers.release();
  // It is the promise: whatever the time.
  await pause(standstill);
  child?.kill('SIGCONT');
  expect(await result).toEqual(everythingWorked);
});

test('its event loop blocked for so long by work of its own, too', async () => {
  const key = server.key();
  const ready = server.key();
  await firstValueFrom(server.client().setDir$(key));
  const answers = await keeping(key);
  const block = `
    while ((await firstValueFrom(clients[0].getValue$('${ready}'))) === undefined);
    writeSync(1, 'blocked\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${standstill});
  `;
  const result = runner.run(program(answers.url, key, block), {
    limit: 30_000,
    started: (child) =>
      child.stdout.on('data', (part: Buffer) => {
        if (part.toString().includes('blocked')) answers.release();
      }),
  });
  await eventually(answers.all);
  await firstValueFrom(server.client().set$(ready, 'now'));
  expect(await result).toEqual(everythingWorked);
});
