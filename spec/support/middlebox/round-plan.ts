import { seededRandom } from '../values/random.js';
import { abilities, randomSchedule, type Ability } from './random-schedule.js';
import type { Schedule } from './schedule.js';

/** What stands before the servers besides a middlebox of ours. */
export const fronts = ['none', 'nginx', 'nginx-unbuffered', 'etcd-proxy', 'etcd-gateway'] as const;
export type Front = (typeof fronts)[number];

/** What a round may hold. */
export interface Switches {
  readonly abilities: readonly Ability[];
  readonly fronts: readonly Front[];
  /** Of the client; ms. */
  readonly heartbeats: readonly (number | false)[];
  /** Headers may be taken away, as from a page in a browser. */
  readonly blind: boolean;
  /** A member is killed or stopped, and comes back. */
  readonly restarts: boolean;
  /** Many keys expire in one tick. */
  readonly waves: boolean;
}

export const everything: Switches = {
  abilities,
  fronts,
  heartbeats: [1_000, 5_000, false],
  blind: true,
  restarts: true,
  waves: true,
};

/** What holds as long as events that come late, heads that are held back and waves are left out. */
export const promised: Switches = {
  ...everything,
  abilities: ['fin', 'rst', 'idle-ends', 'pages'],
  fronts: ['none', 'etcd-gateway'],
  waves: false,
};

/** A round as plain data: a seed and switches give the same one again. */
export interface RoundPlan {
  readonly seed: number;
  /** Members. */
  readonly size: number;
  readonly front: Front;
  /** Whether the middlebox stands between the front and the servers, or before both. */
  readonly boxIsBehind: boolean;
  readonly isBlind: boolean;
  readonly heartbeat: number | false;
  /** One for the way to each member, or through the front. */
  readonly schedules: readonly Schedule[];
  readonly lastsMs: number;
  readonly restart?: { readonly atMs: number; readonly act: 'restart' | 'stop' };
  /** Keys that expire together, if any. */
  readonly wave: number;
  readonly writers: number;
}

export function planRound(seed: number, switches: Switches): RoundPlan {
  const random = seededRandom(seed);
  const front = random.pick(switches.fronts);
  const size = random.int(4) === 0 ? 3 : 1;
  const lastsMs = 4_000 + random.int(4_000);
  const ways = front === 'none' ? size : 1;
  return {
    seed,
    size,
    front,
    boxIsBehind: random.int(2) === 0 && size === 1,
    isBlind: switches.blind && random.int(4) === 0,
    heartbeat: random.pick(switches.heartbeats),
    schedules: Array.from({ length: ways }, () => [
      ...randomSchedule(random, someOf(switches.abilities, random.int), lastsMs, 3 + random.int(20)),
      // So that a round counts, whatever else comes about.
      ...(switches.abilities.includes('rst')
        ? ([{ atMs: lastsMs / 2, do: 'end', among: 'legs', link: random.int(16), by: 'rst' }] as const)
        : []),
    ]),
    lastsMs,
    ...(switches.restarts && random.int(4) === 0
      ? { restart: { atMs: random.int(lastsMs), act: random.pick(['restart', 'stop'] as const) } }
      : {}),
    wave: switches.waves && random.int(4) === 0 ? 50 + random.int(150) : 0,
    writers: 1 + random.int(4),
  };
}

/** All of them, or only some: a kind of fault shows itself best alone. */
function someOf(all: readonly Ability[], int: (n: number) => number): readonly Ability[] {
  if (int(3) === 0) return all;
  const some = all.filter(() => int(3) === 0);
  return some.length === 0 ? all : some;
}
