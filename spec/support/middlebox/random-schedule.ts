import type { SeededRandom } from '../values/random.js';
import { pages, type Choice, type Deed, type Moment, type Schedule } from './schedule.js';

/** The kinds of deeds that a random schedule may hold. */
export const abilities = [
  /** One connection is held at a random time. */
  'stall',
  /** One connection is held just before a random piece of an answer: between a head and its body, between two events. */
  'late-pieces',
  /** Idle connections vanish without a word. */
  'silence',
  /** Idle connections are ended by FIN or RST. */
  'idle-ends',
  'fin',
  'rst',
  /** Pages in place of answers. */
  'pages',
  /** Heads wait for their bodies for a while. */
  'heads',
  /** Bodies pass in lumps for a while. */
  'lumps',
] as const;
export type Ability = (typeof abilities)[number];

/** Pieces of answers in a second, about: watches, probes and their like. */
const piecesPerSecond = 60;
const ways = ['toTarget', 'toClient', 'toClient', 'both'] as const;
const lumps = [100, 1_024, 4_096, 4_096, 16_384] as const;

/**
 * Some deeds of those kinds, spread over a time.
 *
 * @param lastsMs nothing begins later; what lasts may end later
 */
export function randomSchedule(
  random: SeededRandom,
  kinds: readonly Ability[],
  lastsMs: number,
  count: number,
): Schedule {
  if (kinds.length === 0) return [];
  return Array.from({ length: count }, () => {
    const kind = random.pick(kinds);
    const moment: Moment =
      kind === 'late-pieces'
        ? { piece: 1 + random.int(Math.ceil((lastsMs / 1_000) * piecesPerSecond)) }
        : { atMs: random.int(lastsMs) };
    return { ...moment, ...deedOf(kind, random) };
  });
}

function deedOf(kind: Ability, random: SeededRandom): Deed {
  // Two of three hit who waits for events.
  const choice: Choice = { among: random.int(3) === 0 ? 'all' : 'legs', link: random.int(16) };
  switch (kind) {
    case 'stall':
      return { do: 'stall', ...choice, way: random.pick(ways), forMs: duration(random) };
    case 'late-pieces':
      return { do: 'stall', ...choice, way: 'toClient', forMs: duration(random) };
    case 'silence':
      return { do: 'forget', idleMs: random.int(1_500), by: 'silence' };
    case 'idle-ends':
      return { do: 'forget', idleMs: random.int(1_500), by: random.pick(['fin', 'rst']) };
    case 'fin':
    case 'rst':
      return { do: 'end', ...choice, by: kind };
    case 'pages':
      return { do: 'answer', status: random.pick(pages), forMs: 100 + random.int(2_000) };
    case 'heads':
      return { do: 'buffer', holdsHeads: true, lump: 0, forMs: 500 + random.int(5_000) };
    case 'lumps': {
      const holdsHeads = random.int(2) === 0;
      return { do: 'buffer', holdsHeads, lump: random.pick(lumps), forMs: 500 + random.int(5_000) };
    }
  }
}

/** Mostly short; one in five up to 20 s. */
function duration(random: SeededRandom): number {
  return random.int(5) === 0 ? random.int(20_000) : random.int(4_500);
}
