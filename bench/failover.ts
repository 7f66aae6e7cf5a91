/** `kill -9` of the leader of three, again and again, beside node-etcd. */
import { EtcdClient } from 'rxetcd';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster } from '../spec/support/cluster/local-cluster.js';
import { failoverRound, type Parties, type Round } from './failover-round.js';
import { ofRounds, type Section } from './figure.js';
import { nodeEtcd } from './node-etcd.js';
import { spread } from './rounds.js';

const kills = 10;

const parties: Parties = {
  subject: (endpoints) => {
    const client = new EtcdClient(endpoints);
    return {
      clusterState$: client.clusterState$,
      write$: (key, value) => client.set$(key, value),
      watch$: (key) => client.watch$(key),
      close: () => {
        client.close();
      },
    };
  },
  rival: (endpoints) => {
    const client = nodeEtcd(endpoints);
    return {
      write: (key, value) =>
        new Promise((resolve, reject) => {
          client.set(key, value, (error, answer) => {
            if (error) reject(error);
            else resolve(answer);
          });
        }),
      close: () => undefined,
    };
  },
  named: async (endpoint) => {
    const answer = await fetch(`${endpoint}/v2/members/leader`);
    return ((await answer.json()) as { name?: string }).name;
  },
};

export const failover: Section = async () => {
  const cluster = await firstValueFrom(startLocalCluster({ timing: { heartbeat: 100, election: 1_000 } }));
  try {
    const rounds: Round[] = [];
    for (let i = 0; i < kills; i += 1) rounds.push(await failoverRound(cluster, parties));
    const partOf = (part: keyof Round) => spread(rounds.map((one) => one[part]));
    return [
      {
        bar: 'kill -9 of the leader: a survivor names the new one → `clusterState$` does, ms',
        ...ofRounds(partOf('known')),
        target: { most: 100 },
        beside: `the election itself ${partOf('named').median.toFixed(0)} ms after the kill`,
      },
      {
        bar: '`clusterState$` names it → first acknowledged write, ms',
        ...ofRounds(partOf('written')),
        target: { most: 100 },
        beside: `node-etcd, from the survivor's word on: ${partOf('rival').median.toFixed(0)} ms`,
      },
      { bar: '`clusterState$` names it → first event of a watch, ms', ...ofRounds(partOf('seen')) },
    ];
  } finally {
    await lastValueFrom(cluster.down$());
  }
};
