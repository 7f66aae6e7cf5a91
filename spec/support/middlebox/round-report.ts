import type { ClientEvent } from 'rxetcd';
import type { RoundPlan } from './round-plan.js';

/** So many acknowledged writes make a round count. */
export const enoughWrites = 200;

/** What came of a round. */
export interface RoundReport {
  readonly plan: RoundPlan;
  readonly seconds: number;
  /** Open watch requests that a middlebox ended. */
  readonly legsEnded: number;
  /** And those that it held, or forgot without a word. */
  readonly legsStalled: number;
  /** Answers that it gave by itself. */
  readonly pages: number;
  readonly acknowledged: number;
  readonly resyncs: number;
  /** Resyncs for which there was no need. */
  readonly needless: readonly string[];
  /** Broken promises. */
  readonly findings: readonly string[];
  /** The last that the client said of its watches. */
  readonly story: readonly ClientEvent[];
}

/** Whether the round has tried anything: a leg was ended or stalled, and there was something to lose. */
export const counts = ({ legsEnded, legsStalled, acknowledged }: RoundReport): boolean =>
  legsEnded + legsStalled > 0 && acknowledged >= enoughWrites;

/** Changes that a watch has passed over, and no resync has made up for. */
export const lostEvents = ({ findings }: RoundReport): number =>
  findings.filter((finding) => finding.includes(' missing: ')).length;

/** One line about it. */
export function lineOf(report: RoundReport): string {
  const { plan, seconds, legsEnded, legsStalled, pages, acknowledged, resyncs, needless, findings } = report;
  const verdict = findings.length > 0 ? 'BROKEN' : counts(report) ? 'kept' : 'kept, but does not count';
  return [
    `seed ${plan.seed}: ${verdict}`,
    `${seconds.toFixed(1)} s`,
    `${plan.size} member(s) behind ${plan.front}${plan.isBlind ? ', no headers' : ''}, heartbeat ${String(plan.heartbeat)}`,
    `legs ended ${legsEnded}, stalled ${legsStalled}, pages ${pages}`,
    `writes ${acknowledged}, lost ${lostEvents(report)}, resyncs ${resyncs} (needless ${needless.length})`,
  ].join(' | ');
}

/** All that helps to find out why a round failed. */
export const detailsOf = ({ plan, findings, needless, story }: RoundReport): string =>
  [
    ...findings.slice(0, 20),
    ...needless.slice(0, 5),
    `plan ${JSON.stringify(plan)}`,
    ...story.map((event) => JSON.stringify(event)),
  ].join('\n');
