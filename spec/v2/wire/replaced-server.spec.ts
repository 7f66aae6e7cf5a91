import { EtcdClient, isUnsupportedByServer } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cleanUp } from '../../support/jest/clean-up.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted/scripted-server.js';

/* Another release at the same address, before any probe has met it: calls find it first. */
const undos: (() => unknown)[] = [];
let server: ScriptedServer;
let release: string;
let hasV2: boolean;

beforeEach(async () => {
  const headers = { 'x-etcd-cluster-id': 'c1', 'x-etcd-index': '5' };
  server = await firstValueFrom(
    startScriptedServer(({ path }) => {
      if (path === '/version') return { status: 200, body: { etcdserver: release, etcdcluster: '3.4.0' } };
      if (!hasV2)
        return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };
      const member = { id: '1', name: 'n', clientURLs: [server.url], peerURLs: [] };
      const bodies: Record<string, object> = {
        '/v2/members': { members: [member] },
        '/v2/members/leader': member,
        '/v2/stats/self': { id: '1', name: 'n' },
      };
      const node = { key: '/k', value: 'v', modifiedIndex: 1, createdIndex: 1 };
      return { status: 200, headers, body: bodies[path] ?? { action: 'get', node } };
    }),
  );
  undos.push(() => lastValueFrom(server.close$()));
});
afterEach(() => cleanUp(undos));

function open(): EtcdClient {
  // No heartbeat comes between.
  const client = new EtcdClient(server.url, { heartbeat: 60_000, deadline: 5_000 });
  undos.push(() => client.close());
  client.clusterState$.subscribe();
  return client;
}
/** What single calls say, one after the other: each may be the first to meet the new server. */
async function said(client: EtcdClient): Promise<string[]> {
  const messages: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    const error = await rejectionOf(client.get$('/k'));
    expect(isUnsupportedByServer(error)).toBe(true);
    messages.push((error as Error).message);
  }
  return messages;
}

it.each([
  ['on connections that stand', () => undefined],
  ['behind connections that broke', () => server.reset()],
])(
  'a server without the API that took the place of one that had it, %s, is not called by its release',
  async (_, breaks) => {
    [release, hasV2] = ['3.4.23', true];
    const client = open();
    await firstValueFrom(client.get$('/k'));
    [release, hasV2] = ['3.5.21', false];
    breaks();
    const messages = await said(client);
    expect(messages.filter((message) => message.includes('3.4.23'))).toEqual([]);
    expect(messages.at(-1)).toContain('3.5.21');
  },
);

it('nor one that took the place of another without the API', async () => {
  [release, hasV2] = ['3.4.23', false];
  const client = open();
  expect((await said(client)).at(-1)).toContain('3.4.23');
  release = '3.5.21';
  server.reset();
  const messages = await said(client);
  expect(messages.filter((message) => message.includes('3.4.23'))).toEqual([]);
  expect(messages.at(-1)).toContain('3.5.21');
});
