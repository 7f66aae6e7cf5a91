import { startLocalCluster } from '../support/cluster/local-cluster.js';
import { describeScenarios } from './scenarios.js';

describe('a client of three processes', () => {
  describeScenarios(() => startLocalCluster({ partitions: true, timing: { heartbeat: 50, election: 500 } }));
});
