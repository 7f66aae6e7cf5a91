import { describeScenarios } from '../cluster/scenarios.js';
import { startComposeCluster } from '../support/compose-cluster.js';

describe('a client of three containers', () => {
  describeScenarios(() => startComposeCluster());
});
