import { runSeed } from '../support/random.js';
import { Clusters } from '../support/middlebox/clusters.js';
import { planRound, promised } from '../support/middlebox/round-plan.js';
import { counts, detailsOf, lineOf, type RoundReport } from '../support/middlebox/round-report.js';
import { playWatchRound } from '../support/middlebox/watch-round.js';

/** Each round has a seed; $RXETCD_SEED is that of the first. */
const rounds = Number(process.env['MIDDLEBOX_ROUNDS'] ?? 3);
const seeds = Array.from({ length: rounds }, (_, i) => Math.abs(runSeed) + i);

const clusters = new Clusters();
const reports: RoundReport[] = [];
afterAll(() => clusters.down());

describe('watches behind middleboxes lose nothing', () => {
  test.each(seeds)(
    'round %i',
    async (seed) => {
      const plan = planRound(seed, promised);
      const report = await playWatchRound(await clusters.of(plan.size), plan);
      reports.push(report);
      if (report.findings.length > 0)
        throw new Error(`RXETCD_SEED=${seed}: ${lineOf(report)}\n${detailsOf(report)}`);
    },
    180_000,
  );

  test('and the rounds have tried it', () => {
    expect(reports.filter(counts)).toHaveLength(rounds);
  });
});
