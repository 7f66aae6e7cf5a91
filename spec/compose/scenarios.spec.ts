import { describeScenarios } from '../faults/scenarios.js';
import { startComposeCluster } from '../support/compose/compose-cluster.js';

describe('a client of three containers', () => {
  describeScenarios(() => startComposeCluster());
});
