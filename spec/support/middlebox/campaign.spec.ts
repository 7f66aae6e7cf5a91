import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCampaign } from './campaign.js';
import { everything, planRound, type RoundPlan } from './round-plan.js';
import { counts, lostEvents, type RoundReport } from './round-report.js';

const reportOf = (plan: RoundPlan, more: Partial<RoundReport> = {}): RoundReport => ({
  plan,
  seconds: 1,
  legsEnded: 1,
  legsStalled: 0,
  pages: 0,
  acknowledged: 200,
  resyncs: 0,
  needless: [],
  findings: [],
  story: [],
  ...more,
});
const plan = planRound(1, everything);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxetcd-campaign-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Plays seeds 10 to 15; that many legs are ended in a round. */
async function play(log: string, found: (seed: number) => Partial<RoundReport> = () => ({})) {
  const played: number[] = [];
  const printed: string[] = [];
  const result = await runCampaign({
    seed: 10,
    rounds: 6,
    lastsMs: 60_000,
    switches: everything,
    log,
    play: async (one) => {
      played.push(one.seed);
      return reportOf(one, found(one.seed));
    },
    print: (line) => printed.push(line),
  });
  return { played, printed, result };
}

test('a seed and switches give the same round again, another seed another one', () => {
  expect(planRound(7, everything)).toEqual(planRound(7, everything));
  expect(planRound(8, everything)).not.toEqual({ ...planRound(7, everything), seed: 8 });
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('what is switched off does not come', () => {
  const switches = {
    ...everything,
    abilities: ['fin'],
    fronts: ['none'],
    blind: false,
    waves: false,
  } as const;
  for (let seed = 0; seed < 50; seed += 1) {
    const { schedules, front, isBlind, wave } = planRound(seed, switches);
    expect([front, isBlind, wave]).toEqual(['none', false, 0]);
    expect(schedules.flat().filter((deed) => deed.do !== 'end' || deed.by !== 'fin')).toEqual([]);
  }
});

test('a round counts if a leg was ended or stalled, and there was something to lose', () => {
  expect(counts(reportOf(plan))).toBe(true);
  expect(counts(reportOf(plan, { legsEnded: 0, legsStalled: 1 }))).toBe(true);
  expect(counts(reportOf(plan, { legsEnded: 0 }))).toBe(false);
  expect(counts(reportOf(plan, { acknowledged: 199 }))).toBe(false);
});

test('broken rounds are named, with all that was found', async () => {
  const findings = ['/a {} missing: 5 set /a/x=5', '/a {} hangs at 5 before 9'];
  const { result, printed } = await play(join(folder, 'log'), (seed) => (seed === 12 ? { findings } : {}));
  expect(result).toEqual({ rounds: 6, counted: 6, lost: 1, broken: [12] });
  expect(printed).toHaveLength(7);
  expect(printed[2]).toContain('seed 12: BROKEN');
  expect(printed[3]).toContain(`${findings.join('\n')}\nplan {"seed":12,`);
  expect(lostEvents(reportOf(plan, { findings }))).toBe(1);
});

test('rounds side by side keep their seeds, and each lane has one at a time', async () => {
  const busy = new Set<number>();
  const played: number[] = [];
  const result = await runCampaign({
    seed: 10,
    rounds: 9,
    lastsMs: 60_000,
    switches: everything,
    sideBySide: 4,
    play: async (one, lane) => {
      expect(busy.has(lane)).toBe(false);
      busy.add(lane);
      played.push(one.seed);
      await new Promise((resolve) => setImmediate(resolve));
      busy.delete(lane);
      return reportOf(one);
    },
    print: () => undefined,
  });
  expect(played.sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18]);
  expect(result.rounds).toBe(9);
});

test('a campaign that was stopped goes on behind the rounds that its log holds', async () => {
  const log = join(folder, 'log');
  expect((await play(log)).played).toEqual([10, 11, 12, 13, 14, 15]);
  // It was stopped while it wrote the fourth line.
  const lines = readFileSync(log, 'utf8').split('\n');
  writeFileSync(log, [...lines.slice(0, 3), lines[3]!.slice(0, 40)].join('\n'));
  expect((await play(log)).played).toEqual([13, 14, 15]);
  expect((await play(log)).played).toEqual([]);
});
