import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { planRound, type RoundPlan, type Switches } from './round-plan.js';
import { counts, detailsOf, lineOf, lostEvents, type RoundReport } from './round-report.js';

export interface CampaignOptions {
  /** The first seed; each round has the next. */
  readonly seed: number;
  readonly rounds: number;
  /** No round begins later, ms since the start. */
  readonly lastsMs: number;
  readonly switches: Switches;
  /** A file that takes one line of JSON for each round; the seeds that it holds already are passed over. Default: none. */
  readonly log?: string;
  /** Rounds that are played at the same time. Default 1. */
  readonly sideBySide?: number;
  /** @param lane which of those at the same time it is: from 0 */
  readonly play: (plan: RoundPlan, lane: number) => Promise<RoundReport>;
  readonly print: (line: string) => void;
}

/** What a campaign has come to. */
export interface CampaignResult {
  readonly rounds: number;
  readonly counted: number;
  readonly lost: number;
  /** Of the rounds in which a promise was broken. */
  readonly broken: readonly number[];
}

/** Plays round after round, prints a line about each, and all that is known of one that broke a promise. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed: first, rounds, lastsMs, switches, log, sideBySide = 1, play, print } = options;
  const done = log === undefined ? new Set<number>() : seedsIn(log);
  const reports: RoundReport[] = [];
  const end = Date.now() + lastsMs;
  const seeds = Array.from({ length: rounds }, (_, i) => first + i).filter((seed) => !done.has(seed));
  const lanes = Array.from({ length: sideBySide }, async (_, lane) => {
    for (let seed = seeds.shift(); seed !== undefined && Date.now() < end; seed = seeds.shift()) {
      const report = await play(planRound(seed, switches), lane);
      reports.push(report);
      print(lineOf(report));
      if (report.findings.length > 0) print(detailsOf(report));
      if (log !== undefined) appendFileSync(log, `${JSON.stringify({ seed, ...report })}\n`);
    }
  });
  await Promise.all(lanes);
  return {
    rounds: reports.length,
    counted: reports.filter(counts).length,
    lost: reports.reduce((total, report) => total + lostEvents(report), 0),
    broken: reports.filter(({ findings }) => findings.length > 0).map(({ plan }) => plan.seed),
  };
}

/** A line that was cut off in the middle is taken away: its round is to be played again. */
function seedsIn(log: string): Set<number> {
  if (!existsSync(log)) return new Set();
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  writeFileSync(log, lines.map((line) => `${line}\n`).join(''));
  return new Set(lines.map((line) => (JSON.parse(line) as { seed: number }).seed));
}
