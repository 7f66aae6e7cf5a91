/**
 * Command line: rounds of full schedules against the built package, one line about each. All arguments may be left out:
 * `--rounds 1000 --minutes 10 --seed 7 --log FILE` (a campaign that was stopped goes on behind the rounds that FILE holds),
 * `--side-by-side 8` (1: one after the other), `--of writes` (watches), `--abilities stall,fin`, `--fronts none,nginx`, `--without blind,restarts,waves`. Ends with 1 if a promise was broken.
 */
import { parseArgs } from 'node:util';
import { runSeed } from '../values/random.js';
import { runCampaign } from './campaign.js';
import { Clusters } from './clusters.js';
import { abilities } from './random-schedule.js';
import { everything, fronts } from './round-plan.js';
import { playWatchRound } from './watch-round.js';
import { playWriteRound } from './write-round.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(runSeed) },
    log: { type: 'string' },
    abilities: { type: 'string', default: abilities.join() },
    fronts: { type: 'string', default: fronts.join() },
    'side-by-side': { type: 'string', default: '1' },
    of: { type: 'string', default: 'watches' },
    without: { type: 'string', default: '' },
  },
});

/** The entries of a list that were named; a name that is not among them is a mistake. */
function among<T extends string>(all: readonly T[], named: string): T[] {
  return named
    .split(',')
    .filter(Boolean)
    .map((name) => {
      const found = all.find((one) => one === name);
      if (found === undefined) throw new Error(`Unknown: ${name}. One of ${all.join(', ')}.`);
      return found;
    });
}

const without = among(['blind', 'restarts', 'waves'], values.without);
const switches = {
  ...everything,
  abilities: among(abilities, values.abilities),
  fronts: among(fronts, values.fronts),
  ...Object.fromEntries(without.map((name) => [name, false])),
};

const play = { watches: playWatchRound, writes: playWriteRound }[values.of];
if (play === undefined) throw new Error(`Unknown: ${values.of}. One of watches, writes.`);
const lanes = Array.from({ length: Number(values['side-by-side']) }, () => new Clusters());
const result = await runCampaign({
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  lastsMs: Number(values.minutes) * 60_000,
  switches,
  ...(values.log !== undefined && { log: values.log }),
  sideBySide: lanes.length,
  play: async (plan, lane) => play(await lanes[lane]!.of(plan.size), plan),
  print: (line) => console.log(line),
}).finally(() => Promise.all(lanes.map((clusters) => clusters.down())));
console.log(
  `${result.rounds} rounds, ${result.counted} of them count, ${result.lost} events lost without a word;` +
    ` broken: ${result.broken.join(', ') || 'none'}`,
);
process.exitCode = result.broken.length === 0 ? 0 : 1;
