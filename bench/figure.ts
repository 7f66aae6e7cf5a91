import type { Spread } from './rounds.js';

/** One measured figure. */
export interface Figure {
  /** What was measured, and in which unit. */
  readonly bar: string;
  readonly measured: number;
  /** Least and most of the rounds, where there were some. */
  readonly range?: readonly [number, number];
  readonly target?: { readonly least: number } | { readonly most: number };
  /** The same of rivals in the same run, or what else helps to read it. */
  readonly beside?: string;
}

/** One group of measurements; runs in a process of its own. */
export type Section = () => Promise<readonly Figure[]>;

/** A figure that is the median of several rounds. */
export const ofRounds = ({ median, least, most }: Spread): Pick<Figure, 'measured' | 'range'> => ({
  measured: median,
  range: [least, most],
});

/** Whether it is as good as it is to be; undefined if nothing was asked. */
export function reaches({ measured, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return 'least' in target ? measured >= target.least : measured <= target.most;
}
