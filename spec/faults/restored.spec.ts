import type { EtcdClient } from 'rxetcd';
import { cpSync, rmSync } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { watchesUnderTest } from '../support/etcd/watches-under-test.js';
import { eventually } from '../support/jest/eventually.js';
import type { WatchLog } from '../support/promises/watch-log.js';
import type { TcpProxy } from '../support/proxies/tcp-proxy.js';
import { acceptAgain } from '../support/proxies/write-tap.js';

/*
 * A cluster whose data was put back to what it was some time ago, as from a copy of its volume: the same ids, terms that go on, indexes
 * that begin anew in the middle.
 */
const t = watchesUnderTest();
let proxy: TcpProxy;
let client: EtcdClient;
let quiet: WatchLog;
let busy: WatchLog;

/** Past the client. */
const put = async (key: string, count: number, value: string) => {
  for (let i = 0; i < count; i += 1)
    await t.server.fetch(`/keys${key}`, {
      method: 'PUT',
      body: new URLSearchParams({ value: `${value}${i}` }),
    });
};
const resyncs = (log: WatchLog) => log.events.filter(({ action }) => action === 'resync').length;

/** Takes a copy of the data, goes on for a while, and comes back with the copy; the client sees no more than that it is back. */
async function restore(then: () => Promise<unknown>): Promise<void> {
  const { member } = t.server;
  const copy = `${member.dataDir}-copy`;
  t.server.afterwards(() => rmSync(copy, { recursive: true, force: true }));
  await firstValueFrom(member.kill$());
  cpSync(member.dataDir, copy, { recursive: true });
  await t.restart();
  await eventually(async () => (await t.server.watchers()) >= 2);
  await put(`${t.key}-busy`, 60, 'lost');
  await busy.until(() => busy.events.some(({ node }) => node.value === 'lost59'));
  proxy.refuse();
  proxy.reset();
  await firstValueFrom(member.kill$());
  rmSync(member.dataDir, { recursive: true });
  cpSync(copy, member.dataDir, { recursive: true });
  await t.restart();
  await then();
  await acceptAgain(proxy);
  await eventually(async () => (await t.server.watchers()) >= 2);
  await put(t.key, 1, 'last');
  await quiet.until(() => quiet.events.some(({ node }) => node.value === 'last0'));
}

beforeEach(async () => {
  proxy = await t.server.proxy();
  client = t.server.client({
    endpoints: proxy.url,
    discover: false,
    heartbeat: 400,
    retry: { initialDelay: 10, maxDelay: 50 },
  });
  t.client = client;
  await put(t.key, 3, 'old');
  quiet = await t.watch(t.key).live();
  busy = await t.watch(`${t.key}-busy`).live();
});

it('at once: the watch that was ahead of it tells of it, and the one that was not', async () => {
  await restore(() => Promise.resolve());
  for (const log of [busy, quiet]) await log.until(() => resyncs(log) > 0);
  expect([resyncs(quiet), resyncs(busy)]).toEqual([1, 1]);
});

it('and written to less than before: so do both', async () => {
  await restore(() => put('/elsewhere', 30, 'new'));
  for (const log of [busy, quiet]) await log.until(() => resyncs(log) > 0);
  expect([resyncs(quiet), resyncs(busy)]).toEqual([1, 1]);
});
