import { runSeed } from '../values/random.js';
import { Clusters } from './clusters.js';
import { planRound, type promised } from './round-plan.js';
import { counts, detailsOf, lineOf, type RoundReport } from './round-report.js';
import { playWatchRound } from './watch-round.js';

/** Each round has a seed; $RXETCD_SEED is that of the first. */
const rounds = Number(process.env['MIDDLEBOX_ROUNDS'] ?? 3);
const seeds = Array.from({ length: rounds }, (_, i) => Math.abs(runSeed) + i);

/** Tests that play random rounds with these switches: none finds anything, and all of them count. */
export function testRandomRounds(title: string, switches: typeof promised): void {
  const clusters = new Clusters();
  const reports: RoundReport[] = [];
  afterAll(() => clusters.down());

  describe(title, () => {
    test.each(seeds)(
      'round %i',
      async (seed) => {
        const plan = planRound(seed, switches);
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
}
