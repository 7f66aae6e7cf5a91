import type { WatchStage } from '../../watch/watch-run.js';

/** One open watch: a connection, and all who follow it. */
export interface OpenWatch {
  /** Its number within the client, as in `events$`. */
  readonly id: number;
  readonly key: string;
  readonly recursive: boolean;
  readonly state: WatchStage;
  /** Up to this index all is delivered; undefined until its start is fixed. */
  readonly index?: number;
  /** The member's URL where it stands, or stood last. */
  readonly endpoint?: string;
  readonly subscribers: number;
  /** When this state began. */
  readonly since: Date;
}
