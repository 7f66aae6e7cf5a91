import { readFileSync } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { EtcdClient } from 'rxetcd';
import { eventually } from '../support/jest/eventually.js';
import { startLocalCluster, type LocalCluster } from '../support/cluster/local-cluster.js';
import { ExampleProcess } from './example-process.js';

/*
 * Etcd's own timing: an election takes one to two seconds, and longer on a busy machine, of the eight for which whoever leads may be
 * sure of a key that was not renewed. It lives for ten.
 */
const ttl = '10';
const kills = 3;
const dir = '/elections/demo';

let cluster: LocalCluster;
let client: EtcdClient;
const running: ExampleProcess[] = [];
beforeEach(async () => {
  cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 100, election: 1_000 } }));
  client = new EtcdClient(cluster.endpoints);
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.remove();
  client.close();
  await firstValueFrom(cluster.down$());
});

/** Starts one more, and waits until it stands in the queue. */
async function candidate(place: number): Promise<ExampleProcess> {
  const one = new ExampleProcess('leader-election', [dir, ttl], cluster.endpoints.join(','));
  running.push(one);
  await eventually(async () => expect(await queue()).toHaveLength(place), { within: 30_000 });
  return one;
}

const queue = async (): Promise<string[]> => {
  const { node } = await firstValueFrom(client.get$(dir, { sorted: true, quorum: true }));
  return (node.nodes ?? []).map(({ key }) => key);
};

test('the leader stays while etcd loses its own again and again, and the next one follows when it dies', async () => {
  const first = await candidate(1);
  await first.prints(/^leading, token \d+$/);
  const second = await candidate(2);
  const both = await queue();

  for (let i = 0; i < kills; i++) {
    const killed = await firstValueFrom(cluster.kill$('leader'));
    // Answered once there is another leader, which lets keys expire that were not renewed.
    expect(await queue()).toEqual(both);
    await firstValueFrom(cluster.restart$(cluster.members.indexOf(killed)));
    await firstValueFrom(cluster.ready$());
  }
  expect(first.lines).toEqual(['standing by', expect.stringMatching(/^leading/)]);
  expect(second.lines).toEqual(['standing by']);
  expect(await queue()).toEqual(both);

  await first.remove();
  running.shift();
  await second.prints(/^leading, token \d+$/);
  const [before = 0, after = 0] = [first, second].map(({ lines }) => Number(lines.at(-1)!.split(' ').at(-1)));
  expect(after).toBeGreaterThan(before);
});

test('the page shows the election that was tested', () => {
  const part = /\/\/ The election\.\n([^]*)\/\/ So far/.exec(
    readFileSync('examples/leader-election.ts', 'utf8'),
  );
  expect(readFileSync('docs/atomic.md', 'utf8')).toContain(part![1]!.trim());
});
