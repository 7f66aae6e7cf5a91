import type { WatchStage } from '../../watch/watch-run.js';
import type { OpenWatchState } from '../../watch/watches.js';
import type { KeyRange } from '../model/key-range.js';
import type { V3Target } from './watch-target.js';

/** One open watch: what is watched, and all who follow it. */
export interface OpenWatch {
  /** Its number within the client, as in `events$`. */
  readonly id: number;
  /** What is watched, as `events$` and errors name it. */
  readonly key: string;
  /** What is watched, as it was given. */
  readonly range: KeyRange;
  readonly prevKv: boolean;
  readonly only?: 'put' | 'delete';
  readonly progress: boolean;
  readonly state: WatchStage;
  /** Up to this revision everything was told; undefined until its start is fixed. */
  readonly revision?: number;
  /** The member's URL where it stands, or stood last. */
  readonly endpoint?: string;
  readonly subscribers: number;
  /** When this state began. */
  readonly since: Date;
}

/** What is told of an open watch. */
export function openWatch({ index, bounds: _, only, ...rest }: V3Target & OpenWatchState): OpenWatch {
  return {
    ...rest,
    ...(only === undefined ? {} : { only }),
    ...(index === undefined ? {} : { revision: index }),
  };
}
