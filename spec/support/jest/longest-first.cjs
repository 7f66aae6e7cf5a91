const { default: Sequencer } = require('@jest/test-sequencer');

/** The files that take longest, most of it waiting. One that began last would run alone at the end. */
const longest = [
  'faults/withheld-head',
  'faults/thousand-clients',
  'faults/random-rounds',
  'faults/watch-faults',
  'testing/main-job',
  'contract/v2/watch-blind',
  'faults/scenarios',
  'contract/v2/watch-bursts',
  'support/cluster/cluster-command',
  'testing/walkthroughs',
  'faults/cut-behind-the-head',
  'contract/v2/watch-expiry-bursts',
  'faults/thundering-herd',
  'support/cluster/local-cluster',
  'faults/write-faults',
  'faults/cut-polls',
  'cluster/balancer-pages',
  'examples/leader-election',
  'v2/old/old-redirects',
  'contract/v2/watch-quiet',
];

/** Where nothing is known of former runs, as in CI, Jest begins with the largest files: here with the longest. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    if (sorted.some(({ duration }) => duration !== undefined)) return sorted;
    const placeOf = ({ path }) => {
      const place = longest.findIndex((name) => path.includes(`/spec/${name}.`));
      return place < 0 ? longest.length : place;
    };
    return sorted.sort((a, b) => placeOf(a) - placeOf(b));
  }
};
