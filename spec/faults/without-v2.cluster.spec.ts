import { EtcdClient, isUnsupportedByServer, type ClientEvent } from 'rxetcd';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { cleanUp } from '../support/jest/clean-up.js';
import type { DebianRelease } from '../support/etcd/debian-etcd.js';
import { EtcdProcess } from '../support/etcd/etcd-process.js';
import { eventually } from '../support/jest/eventually.js';
import { findEtcd } from '../support/etcd/find-etcd.js';
import { freePorts } from '../support/ports/free-port.js';
import { rejectionOf } from '../support/jest/rejection.js';

/* An etcd whose v2 API is off, as it is unless asked for. */
const undos: (() => unknown)[] = [];
afterEach(() => cleanUp(undos));

const until = (url: string, path: string): Promise<unknown> =>
  eventually(async () => (await fetch(`${url}${path}`)).status === 200);

/** Starts one member at a port; `v2`: with the v2 API. */
async function start(release: DebianRelease, clientPort: number, v2: boolean): Promise<EtcdProcess> {
  const binary = await firstValueFrom(findEtcd({ release }));
  const [peerPort] = await firstValueFrom(freePorts(1));
  const flags = v2 ? [] : ['--enable-v2=false'];
  const member = new EtcdProcess({ binary, clientPort, peerPort: peerPort!, flags });
  undos.push(() => lastValueFrom(member.terminate$()));
  await firstValueFrom(member.start$());
  await until(member.clientUrl, v2 ? '/v2/members/leader' : '/health');
  return member;
}

function open(url: string, heartbeat = 200): { client: EtcdClient; told: string[]; lines: string[] } {
  const client = new EtcdClient(url, { heartbeat, deadline: 10_000 });
  undos.push(() => client.close());
  const told: string[] = [];
  const lines: string[] = [];
  client.events$.subscribe((event: ClientEvent) => {
    if (event.type === 'no-v2-api') told.push(`${event.endpoint} ${event.version ?? ''}`);
  });
  client.logEvents({ level: 'warn', write: (line, level) => lines.push(`${level} ${line}`) });
  return { client, told, lines };
}

describe.each<[string, DebianRelease]>([
  ['3.4', 'bookworm'],
  ['3.5', 'trixie'],
])('etcd %s without the v2 API', (version, release) => {
  it('says so by event, log, state, leader and health, and is used once it has the API', async () => {
    const [port] = await firstValueFrom(freePorts(1));
    const without = await start(release, port!, false);
    const { client, told, lines } = open(without.clientUrl);
    const leader = firstValueFrom(client.leader$().pipe(toArray())).catch((error: unknown) => error);
    client.clusterState$.subscribe();

    const error = await leader;
    expect(isUnsupportedByServer(error)).toBe(true);
    expect((error as Error).message).toContain(`(etcd ${version}.`);
    expect((error as Error).message).toContain('--enable-v2=true');
    const [member] = client.clusterState$.value.members;
    expect(member?.unsupported).toContain('no v2 API');
    expect(String(client.clusterState$.value)).toContain('no v2 API');
    expect(await firstValueFrom(client.health$())).toMatchObject({
      healthy: true,
      reason: expect.stringContaining('no v2 API') as string,
    });
    expect(isUnsupportedByServer(await rejectionOf(client.set$('/a', 'v')))).toBe(true);
    // Over more heartbeats nothing is told again.
    for (let i = 0; i < 5; i += 1) await firstValueFrom(client.refreshCluster$());
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(new RegExp(`^${without.clientUrl} ${version}\\.`));
    const own = lines.filter((line) => line.includes('no-v2-api'));
    expect(own).toHaveLength(1);
    expect(own[0]).toMatch(/^warn /);

    await firstValueFrom(without.terminate$());
    await start(release, port!, true);
    await eventually(() => client.clusterState$.value.leader !== undefined);
    expect(client.clusterState$.value.leader?.unsupported).toBeUndefined();
    expect(await firstValueFrom(client.leader$())).toMatchObject({ isLeader: true });
    await firstValueFrom(client.set$('/a', 'v'));
    expect(await firstValueFrom(client.getValue$('/a'))).toBe('v');
    expect(await firstValueFrom(client.health$())).not.toHaveProperty('reason');
  });
});

it('a server replaced by another release is never called by its old one', async () => {
  const [port] = await firstValueFrom(freePorts(1));
  const before = await start('bookworm', port!, true);
  // No heartbeat comes between: the calls are the first to meet the new one.
  const { client } = open(before.clientUrl, 60_000);
  client.clusterState$.subscribe();
  await firstValueFrom(client.set$('/a', 'v'));
  await firstValueFrom(before.terminate$());
  await start('trixie', port!, false);

  const messages: string[] = [];
  const end = performance.now() + 2_000;
  while (performance.now() < end) {
    const error = await rejectionOf(client.getValue$('/a', { deadline: 2_000 }));
    messages.push((error as Error).message);
  }
  expect(messages.filter((message) => message.includes('etcd 3.4.'))).toEqual([]);
  expect(messages.at(-1)).toContain('etcd 3.5');
});
