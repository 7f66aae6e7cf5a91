import type { EtcdClient } from 'rxetcd';
import { concatMap, firstValueFrom, type Observable } from 'rxjs';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* Whoever was answered may close the client at once. */
const server = serverUnderTest();

const calls: [string, (client: EtcdClient, key: string) => Observable<unknown>][] = [
  ['get$', (client) => client.get$('/')],
  ['get$ with quorum', (client) => client.get$('/', { quorum: true })],
  ['getValue$', (client, key) => client.getValue$(key)],
  ['exists$', (client, key) => client.exists$(key)],
  ['set$', (client, key) => client.set$(key, 'v')],
  ['create$', (client, key) => client.create$(key, 'v')],
  ['createInOrder$', (client, key) => client.createInOrder$(key, 'v')],
  ['setDir$', (client, key) => client.setDir$(key)],
  ['raw$', (client) => client.raw$('GET', '/version')],
  ['machines$', (client) => client.machines$()],
  ['version$', (client) => client.version$()],
  ['members.list$', (client) => client.members.list$()],
  ['stats.store$', (client) => client.stats.store$()],
  ['auth.status$', (client) => client.auth.status$()],
  ['refreshCluster$', (client) => client.refreshCluster$()],
];

/** What comes of a call, and of what nobody catches. */
async function told(call$: Observable<unknown>, close: (when: string) => void): Promise<string[]> {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    call$.subscribe({
      next: () => {
        seen.push('next');
        close('next');
      },
      error: (error: unknown) => {
        seen.push(String(error));
        close('error');
        resolve();
      },
      complete: () => {
        seen.push('complete');
        close('complete');
        resolve();
      },
    });
  });
  return seen;
}

describe.each(['next', 'complete'])('closed in its %s handler', (place) => {
  test.each(calls)('%s has its value and its end', async (_, call) => {
    const client = server.client();
    const seen = await told(call(client, server.key()), (when) => {
      if (when === place) client.close();
    });
    expect(seen).toEqual(['next', 'complete']);
  });
});

test('closed in its error handler a call keeps its own error', async () => {
  const client = server.client();
  const seen = await told(client.get$('/missing'), () => client.close());
  expect(seen).toEqual([expect.stringContaining('EtcdApiError')]);
});

test('a write that was acknowledged is no failure of the calls behind it', async () => {
  const key = server.key();
  const client = server.client();
  const chain$ = client.set$(key, 'v').pipe(
    concatMap((answer) => {
      client.close();
      return [answer];
    }),
  );
  expect(await told(chain$, () => undefined)).toEqual(['next', 'complete']);
  expect(await firstValueFrom(server.client().getValue$(key))).toBe('v');
});

test('what is still under way fails, as before', async () => {
  const client = server.client();
  const proxy = await server.proxy();
  const held = server.client({ endpoints: proxy.url, discover: false });
  await firstValueFrom(held.get$('/'));
  proxy.pause('toClient');
  const late = told(held.get$('/'), () => undefined);
  await told(client.get$('/'), () => held.close());
  expect(await late).toEqual([expect.stringContaining('ClientClosedError')]);
});
