import { ScriptRunner } from '../../support/programs/run-script.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* What a client does to the life of its process; each program here leaves its client open. */
const server = serverUnderTest();
let runner: ScriptRunner;

beforeAll(() => {
  runner = new ScriptRunner();
});
afterAll(() => runner.remove());

const program = (body: string) => `
  import { EtcdClient } from './index.js';
  import { firstValueFrom, filter } from 'rxjs';
  const client = new EtcdClient('${server.url}');
  const live = () => firstValueFrom(client.events$.pipe(filter(({ type }) => type === 'watch-live')));
  ${body}
  console.log('last line');
`;

test.each([
  ['that was never used', ''],
  ['after calls', `await firstValueFrom(client.set$('/a', '1')); await firstValueFrom(client.get$('/a'));`],
  [
    'after a watch that was ended',
    `const watch = client.watch$('/a').subscribe(); await live(); watch.unsubscribe();`,
  ],
  [
    'while its state is followed',
    `client.clusterState$.subscribe(); await firstValueFrom(client.get$('/'));`,
  ],
])('a client %s does not keep its process alive', async (_, body) => {
  const result = await runner.run(program(body));
  expect(result).toEqual({ exitCode: 0, stdout: 'last line\n', stderr: '' });
});

test.each([
  ['a watch', `client.watch$('/a').subscribe(); await live();`],
  ['leader$', `client.leader$().subscribe(); await firstValueFrom(client.get$('/'));`],
])('%s does', async (_, body) => {
  // A timer that keeps nothing alive tells that the process still is.
  const source = program(`${body} setTimeout(() => console.log('still here'), 1_000).unref();`);
  const { exitCode, stdout } = await runner.run(source, { endAt: 'still here' });
  expect(stdout).toBe('last line\nstill here\n');
  expect(exitCode).toBeNull();
});

test.each([
  ['a watch', `client.watch$('/a').subscribe(); await live();`],
  ['leader$', `client.leader$().subscribe(); await firstValueFrom(client.get$('/'));`],
])('%s no longer does once the client is closed', async (_, body) => {
  const result = await runner.run(program(`${body} client.close();`));
  expect(result).toEqual({ exitCode: 0, stdout: 'last line\n', stderr: '' });
});

test('after its last answer no timer of a call is waited for', async () => {
  const result = await runner.run(
    program(`
      // Probes have a limit of their own as long as they are on their way.
      let underWay = 0;
      client.events$.subscribe(({ type }) => {
        if (type === 'request') underWay += 1;
        if (type === 'response') underWay -= 1;
      });
      await firstValueFrom(client.get$('/'));
      await firstValueFrom(client.set$('/a', '1'));
      while (underWay > 0) await new Promise((resolve) => setImmediate(resolve));
      console.log(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout'));
    `),
  );
  expect(result).toEqual({ exitCode: 0, stdout: '[]\nlast line\n', stderr: '' });
});
