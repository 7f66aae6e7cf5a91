import { untried, type Tried } from './tried.js';
import type { View } from './view.js';

/** Chooses whom to ask where any member will do: the last good one, else a random live one, a dead one last. */
export class Router {
  #lastGood: string | undefined;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** This endpoint served a call. */
  good(url: string): void {
    this.#lastGood = url;
  }

  /** The endpoint for the next try; `tried` counts the tries already made by this call at each. */
  pick(view: View, tried: Tried = untried): string {
    const ranked = view.candidates
      .map((url) => ({
        url,
        tries: tried.get(url) ?? 0,
        dead: view.live.includes(url) ? 0 : 1,
        leaderless: view.leaderless.includes(url) ? 1 : 0,
        strange: url === this.#lastGood ? 0 : 1,
        chance: this.#random(),
      }))
      .sort(
        (a, b) =>
          a.tries - b.tries ||
          a.dead - b.dead ||
          a.leaderless - b.leaderless ||
          a.strange - b.strange ||
          a.chance - b.chance,
      );
    // Without any candidate (all belong to another cluster) the endpoints themselves are all there is.
    return ranked[0]?.url ?? view.endpoints[0] ?? '';
  }
}
