import { ScriptRunner } from '../support/programs/run-script.js';

const runner = new ScriptRunner();
afterAll(() => runner.remove());

const imports = `
  import { EtcdClient } from './index.js';
  import { EmbeddedCluster, EmbeddedEtcd, testClient$ } from './testing/index.js';
  import { firstValueFrom } from 'rxjs';
`;
const start = 'const etcd = await firstValueFrom(EmbeddedEtcd.start$());';
/** Ends the process some time after the line is due. */
const later = "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 7_500).unref();";
const run = (body: string) => runner.run(`${imports}\n${body}`, { limit: 40_000 });
/** Ends the process when it has had the time to say it twice. */
const runUntilSaid = (body: string) =>
  runner.run(`${imports}\n${body}`, {
    limit: 40_000,
    started: (child) => child.stderr.once('data', () => setTimeout(() => child.kill('SIGKILL'), 2_500)),
  });

const said =
  /^rxetcd\/testing: nothing but an embedded etcd keeps this process running: (\S+(?: \S+)*), started at (.+). End it by stop\$\(\), or start it by "await using".\n$/;

describe('a process that nothing keeps running but an embedded etcd that was forgotten', () => {
  test.concurrent.each([
    ['alone', start, 1],
    ['a cluster', 'const cluster = await firstValueFrom(EmbeddedCluster.start$(3));', 3],
    [
      'and the client, with a watch that stands',
      `${start}
       const client = new EtcdClient(etcd.url, { heartbeat: 200 });
       client.watch$('/k', { initial: true }).subscribe();`,
      1,
    ],
    ['that a test client brought', 'testClient$().subscribe((client) => client.endpoints);', 3],
  ])('says so once, and where it was started: %s', async (_, body, members) => {
    const { stderr } = await runUntilSaid(body);
    const [, urls = '', place = ''] = said.exec(stderr) ?? [stderr];
    expect([stderr.split('\n').length, urls.split(' ').length]).toEqual([2, members]);
    expect(place).toMatch(/script-\d+\.js:\d+:\d+$/);
  });

  test.concurrent.each([
    ['it was ended', `${start} await firstValueFrom(etcd.stop$());`],
    ['it was ended by its block', `{ await using${start.slice('const'.length)} } process.exitCode = 0;`],
    ['something else is waited for', `${start} setInterval(() => undefined, 100_000);`],
    [
      'another server listens',
      `import { createServer } from 'node:http'; ${start} createServer().listen(0, '127.0.0.1');`,
    ],
    ['it is there for that', 'await firstValueFrom(EmbeddedEtcd.start$({ alone: true }));'],
  ])('says nothing where %s', async (_, body) => {
    // Node itself does not know `await using` yet: TypeScript makes of it what is called here.
    const known = body.replace(
      /^\{ await using (\w+) = (.*;) \}/,
      'const $1 = $2 await $1[Symbol.asyncDispose]();',
    );
    expect((await run(`${later}\n${known}`)).stderr).toBe('');
  });
});
