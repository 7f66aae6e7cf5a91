import { EtcdClient, isOutcomeUnknown, type ClientOptions, type KeyResponse } from 'rxetcd';
import { concat, firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { rejectionOf } from '../support/jest/rejection.js';
import { StoreWitness } from '../support/promises/store-witness.js';
import type { TcpProxy } from '../support/proxies/tcp-proxy.js';
import type { Change } from '../support/promises/validators.js';
import { SentWrites, startWriteTap } from '../support/proxies/write-tap.js';

describe('a write that hangs on a stopped leader', () => {
  let cluster: LocalCluster;
  let sent: SentWrites;
  let taps: TcpProxy[];
  let client: EtcdClient;
  let witness: StoreWitness;
  let root: string;
  let roots = 0;

  beforeAll(async () => {
    cluster = await firstValueFrom(startLocalCluster());
  });
  afterAll(async () => {
    await lastValueFrom(cluster.down$());
  });

  beforeEach(async () => {
    root = `/${(roots += 1)}`;
    sent = new SentWrites();
    taps = [];
    for (const endpoint of cluster.endpoints) taps.push(await firstValueFrom(startWriteTap(endpoint, sent)));
  });
  afterEach(async () => {
    client.close();
    await witness.stop();
    for (const tap of taps) await firstValueFrom(tap.close$());
    const stopped = cluster.members.filter(({ state }) => state === 'stopped');
    await lastValueFrom(concat(...stopped.map((member) => member.resume$()), cluster.ready$()));
  });

  /** A client that has written `/k` and knows the leader, and a witness of all that follows. */
  async function begin(options: ClientOptions = {}): Promise<void> {
    const endpoints = taps.map(({ url }) => url);
    client = new EtcdClient({
      endpoints,
      discover: false,
      heartbeat: 100,
      probeTimeout: 300,
      deadline: 20_000,
      ...options,
    });
    const { node } = await firstValueFrom(client.set$(`${root}/k`, 'first'));
    await firstValueFrom(client.createInOrder$(`${root}/queue`, 'first'));
    witness = new StoreWitness(cluster.endpoints, root, node.modifiedIndex ?? 0);
    witness.start();
  }

  /** Stops the leader; what the client sends it is held on the way, as in the buffers of a frozen machine. */
  async function stopLeader(): Promise<{ index: number; tap: TcpProxy; url: string }> {
    const { index, clientUrl: url } = await firstValueFrom(cluster.stop$('leader'));
    const tap = taps[index]!;
    tap.pause('toTarget');
    return { index, tap, url };
  }

  const set = (value: string): Promise<KeyResponse> => firstValueFrom(client.set$(`${root}/k`, value));
  const hung = (): Promise<unknown> => rejectionOf(client.set$(`${root}/k`, 'older', { timeout: 500 }));

  /** The values of the key, one after the other, up to a last write through the member that was stopped. */
  async function values(url: string): Promise<(string | undefined)[]> {
    await firstValueFrom(cluster.ready$());
    const through = new StoreWitness([url], root, 1);
    const last = await eventually(async () => (await through.write('PUT', '/last')) ?? false);
    if (last !== false) await witness.reach(last.index);
    return witness.changes.filter(({ key }: Change) => key === `${root}/k`).map(({ value }) => value);
  }

  it('ends in OutcomeUnknownError, is not sent again, and what follows it goes to the new leader', async () => {
    await begin();
    const { index, tap, url } = await stopLeader();
    const error = await hung();
    expect(isOutcomeUnknown(error) && error.attempts).toMatchObject([{ endpoint: tap.url }]);
    const { info } = await set('newer');
    expect(info.endpoint).not.toBe(tap.url);

    // Forgotten on the way: whatever comes now, the client has sent it again.
    tap.reset();
    tap.resume();
    await firstValueFrom(cluster.resume$(index));
    expect(await values(url)).toEqual(['first', 'newer']);
    expect(sent.of('older')).toBe(1);
    expect(sent.of('newer')).toBe(1);
    expect((await firstValueFrom(client.get$(`${root}/k`, { quorum: true }))).node.value).toBe('newer');
  });

  it('may come late, over a newer value, but only the once that its error tells of', async () => {
    await begin();
    const { index, tap, url } = await stopLeader();
    expect(isOutcomeUnknown(await hung())).toBe(true);
    await set('newer');
    await resumeLate(index, tap);
    expect(await values(url)).toEqual(['first', 'newer', 'older']);
    expect(sent.of('older')).toBe(1);
  });

  it("is sent again with writes: 'idempotent', and may then be applied twice, over a newer value", async () => {
    await begin({ retry: { writes: 'idempotent' }, timeout: 500 });
    const { index, tap, url } = await stopLeader();
    const { info } = await set('older');
    expect(info.endpoint).not.toBe(tap.url);
    await set('newer');
    await resumeLate(index, tap);
    expect(await values(url)).toEqual(['first', 'older', 'newer', 'older']);
    expect(sent.all.filter(({ value }) => value === 'older').map(({ target }) => target)).toEqual([
      url,
      cluster.endpoints[taps.findIndex((each) => each.url === info.endpoint)],
    ]);
    expect(sent.of('newer')).toBe(1);
  });

  /** The member goes on, has a leader again, and then gets what was held. */
  async function resumeLate(index: number, tap: TcpProxy): Promise<void> {
    await lastValueFrom(concat(cluster.resume$(index), cluster.ready$()));
    tap.resume();
    await firstValueFrom(cluster.ready$());
  }

  const others: (() => Observable<unknown>)[] = [
    () => client.create$(`${root}/new`, 'x'),
    () => client.update$(`${root}/k`, 'x'),
    () => client.refresh$(`${root}/k`, 100),
    () => client.createInOrder$(`${root}/queue`, 'x'),
    () => client.delete$(`${root}/k`),
    () => client.compareAndSwap$(`${root}/k`, 'x', { prevValue: 'first' }),
    () => client.compareAndDelete$(`${root}/k`, { prevValue: 'first' }),
    () => client.setDir$(`${root}/dir`),
    () => client.createDirInOrder$(`${root}/queue`),
    () => client.raw$('PUT', `/v2/keys${root}/k`, { data: { value: 'x' } }),
  ];

  it("nothing but set$ is ever sent again, with writes: 'idempotent' neither", async () => {
    await begin({ retry: { writes: 'idempotent' }, timeout: 1_000 });
    const { index, tap, url } = await stopLeader();
    const before = sent.all.length;
    // All at once, while the client still takes it for the leader.
    const errors = await Promise.all(others.map((call$) => rejectionOf(call$())));
    expect(errors.map((error) => isOutcomeUnknown(error))).toEqual(others.map(() => true));
    expect(sent.all.slice(before).map(({ target }) => target)).toEqual(others.map(() => url));
    await set('newer');

    tap.reset();
    tap.resume();
    await firstValueFrom(cluster.resume$(index));
    expect(await values(url)).toEqual(['first', 'newer']);
    const written = witness.changes.map(({ key }) => key.slice(root.length + 1).split('/')[0]);
    expect(written.filter((name) => name !== 'last')).toEqual(['k', 'queue', 'k']);
  });
});
