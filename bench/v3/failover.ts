/** `kill -9` of the leader of three, again and again, beside npm's etcd3. */
import { EtcdClient } from 'rxetcd/v3';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { startLocalCluster } from '../../spec/support/cluster/local-cluster.js';
import { failoverRound, type Parties, type Round } from '../failover-round.js';
import { ofRounds, type Section } from '../figure.js';
import { spread } from '../rounds.js';
import { etcd3 } from './etcd3.js';
import { v3Server } from './server.js';

const kills = 10;

const parties: Parties = {
  subject: (endpoints) => {
    const client = new EtcdClient(endpoints);
    return {
      clusterState$: client.clusterState$,
      write$: (key, value) => client.put$(key, value),
      watch$: (key) => client.watch$(key),
      close: () => {
        client.close();
      },
    };
  },
  rival: (endpoints) => {
    const client = etcd3(endpoints);
    return {
      write: (key, value) => client.put(key).value(value),
      close: () => {
        client.close();
      },
    };
  },
  named: async (endpoint) => {
    const answer = await fetch(`${endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    return ((await answer.json()) as { leader?: string }).leader;
  },
};

export const failover: Section = async () => {
  const cluster = await firstValueFrom(
    startLocalCluster({ ...v3Server(), timing: { heartbeat: 100, election: 1_000 } }),
  );
  try {
    const rounds: Round[] = [];
    for (let i = 0; i < kills; i += 1) rounds.push(await failoverRound(cluster, parties));
    const partOf = (part: keyof Round) => spread(rounds.map((one) => one[part]));
    const most = (part: keyof Round) => partOf(part).most.toFixed(0);
    return [
      {
        bar: 'v3, kill -9 of the leader: a survivor names the new one → `clusterState$` does, ms',
        ...ofRounds(partOf('known')),
        beside: `the election itself ${partOf('named').median.toFixed(0)} ms after the kill`,
      },
      {
        bar: 'v3, `clusterState$` names it → first acknowledged write, ms',
        ...ofRounds(partOf('written')),
        target: { most: 100 },
      },
      {
        bar: 'v3, kill -9 of the leader → first acknowledged write, ms',
        ...ofRounds(partOf('writtenAfterKill')),
        beside: `etcd3 ${partOf('rivalAfterKill').median.toFixed(0)} ms, at most ${most('rivalAfterKill')}`,
      },
      { bar: 'v3, `clusterState$` names it → first event of a watch, ms', ...ofRounds(partOf('seen')) },
    ];
  } finally {
    await lastValueFrom(cluster.down$());
  }
};
