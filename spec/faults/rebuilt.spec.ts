import type { EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import type { TcpProxy } from '../support/proxies/tcp-proxy.js';
import { acceptAgain } from '../support/proxies/write-tap.js';
import { watchesUnderTest } from '../support/etcd/watches-under-test.js';
import type { WatchLog } from '../support/promises/watch-log.js';

/*
 * A cluster that is rebuilt from the same flags while a client cannot see it, and is written to before it can. What is needed to ask
 * for the promise happens in `beforeEach`: if that fails, these specs are red.
 */
const t = watchesUnderTest();
let proxy: TcpProxy;
let client: EtcdClient;

/** Past the client under test: so many changes to another key. */
const write = async (count: number) => {
  for (let i = 0; i < count; i += 1)
    await t.server.fetch('/keys/elsewhere', {
      method: 'PUT',
      body: new URLSearchParams({ value: String(i) }),
    });
};
const put = (value: string) =>
  t.server.fetch(`/keys${t.key}`, { method: 'PUT', body: new URLSearchParams({ value }) });
const head = async () => {
  const { headers } = await t.server.fetch('/keys/?quorum=true');
  const [index, raftIndex, raftTerm] = ['x-etcd-index', 'x-raft-index', 'x-raft-term'].map((name) =>
    Number(headers.get(name)),
  ) as [number, number, number];
  return { index, raftIndex, raftTerm };
};

beforeEach(async () => {
  await t.rebuild();
  proxy = await t.server.proxy();
  client = t.server.client({
    endpoints: proxy.url,
    discover: false,
    heartbeat: 400,
    retry: { initialDelay: 10, maxDelay: 50 },
  });
});

/** Rebuilds the cluster while the client is away, and lets it come back when `meanwhile` is done. */
async function rebuildUnseen(meanwhile: () => Promise<unknown>): Promise<void> {
  proxy.refuse();
  proxy.reset();
  await t.rebuild();
  await meanwhile();
  await acceptAgain(proxy);
}

describe('a cluster that was rebuilt and has overtaken the position of a watch', () => {
  let log: WatchLog;

  beforeEach(async () => {
    await put('old');
    log = await watch();
    // The raft log is well ahead of the store: what is left to tell the two clusters apart.
    for (let i = 0; i < 200; i += 1) await t.server.fetch('/keys/?quorum=true');
    // The client has seen how far.
    const { info } = await firstValueFrom(client.get$(t.key));
    const before = await head();
    await rebuildUnseen(async () => {
      await put('new');
      await write(60);
    });
    const after = await head();
    expect(after.index).toBeGreaterThan(before.index);
    expect(after.raftIndex).toBeLessThan(info.raftIndex!);
    await last(log);
  });

  it('P9: a resync tells of it', () => {
    expect(log.events.map(({ action }) => action)).toContain('resync');
  });
});

describe('a cluster that was rebuilt and is below what the client has seen, but above the position of a quiet watch', () => {
  let log: WatchLog;

  beforeEach(async () => {
    await put('old');
    log = await watch();
    const position = await head();
    await write(150);
    const { info } = await firstValueFrom(client.get$(t.key));
    await rebuildUnseen(async () => {
      await put('new');
      await write(40);
    });
    const after = await head();
    expect(after.index).toBeGreaterThan(position.index);
    expect(after.index).toBeLessThan(info.etcdIndex!);
    await last(log);
  });

  it('P18: a resync tells of it', () => {
    expect(log.events.map(({ action }) => action)).toContain('resync');
  });
});

describe('watches of one client, when the cluster was rebuilt and stands between their positions', () => {
  const actions = (log: WatchLog) => log.events.map(({ action }) => action).filter((a) => a === 'resync');

  it('each tells of it once, whoever finds it out first; so does one that comes late, by its state', async () => {
    await put('old');
    t.client = client;
    const early = [await t.watch(t.key).live(), await t.watch(`${t.key}-quiet`).live()];
    const { index } = await head();
    const from = await t.watch('/resumed', { fromIndex: index + 1 }).live();
    await write(150);
    const late = await t.watch('/elsewhere').live();
    await firstValueFrom(client.get$(t.key));
    await rebuildUnseen(async () => {
      await put('new');
      await write(40);
    });
    await eventually(async () => (await t.server.watchers()) >= 4);
    const joined = t.watch(t.key, { initial: true });
    await joined.until(() => joined.events.some(({ action }) => action === 'sync'));
    // The client's own write finds out as well, and begins no other epoch.
    await firstValueFrom(client.set$(t.key, 'last'));
    await joined.until(() => joined.events.some(({ node }) => node.value === 'last'));
    for (const log of [...early, from, late]) await log.until(() => actions(log).length > 0);
    // Each is cut off once more: what is behind it is no news.
    proxy.reset();
    await eventually(async () => (await t.server.watchers()) >= 4);
    await firstValueFrom(client.set$(t.key, 'end'));
    await joined.until(() => joined.events.some(({ node }) => node.value === 'end'));
    expect([...early, from, late].map((log) => actions(log))).toEqual(Array(4).fill(['resync']));
  });
});

describe('a cluster whose terms begin anew', () => {
  let wanted: number;

  beforeEach(async () => {
    await put('old');
    client.clusterState$.subscribe();
    // Each restart of a single member is an election.
    const before = await (async () => {
      for (let i = 0; i < 3; i += 1) await t.restart();
      return head();
    })();
    await eventually(async () => {
      await firstValueFrom(client.get$(t.key));
      return client.clusterState$.value.raftTerm === before.raftTerm;
    });
    await rebuildUnseen(() => put('new'));
    wanted = (await head()).raftTerm;
    expect(wanted).toBeLessThan(before.raftTerm);
    // The client has been told.
    await eventually(async () => {
      const { info } = await firstValueFrom(client.get$(t.key));
      return info.raftTerm === wanted;
    });
    await eventually(() => client.clusterState$.value.raftTerm === wanted, { within: 2_000 }).catch(
      () => undefined,
    );
  });

  it('P19: the state shows the new term', () => {
    expect(client.clusterState$.value.raftTerm).toBe(wanted);
  });
});

async function watch(): Promise<WatchLog> {
  t.client = client;
  return t.watch(t.key).live();
}

/** One more change, once the watch is back: whatever it has to say of the time before comes first. */
async function last(log: WatchLog): Promise<void> {
  const isBack = async () => (await t.server.watchers()) > 0;
  await eventually(isBack);
  await put('last');
  await log.until(() => log.events.some(({ node }) => node.value === 'last'));
}
