import type { Attempt, EtcdError } from '../errors.js';
import { oneLine } from '../util/one-line.js';

/** What an answer that is not a success means for the call. */
export interface FaultConfig {
  /** A few words for the list of attempts. */
  readonly summary: string;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  /** etcd's number of the error, if it gave one. */
  readonly errorCode?: number | undefined;
  /**
   * Whether the request was executed: `'no'`, provably; `'refused'`: not, by the word of something in between, so that a
   * read may be sent again, but no write; or `'unknown'`. Undefined: the answer is final.
   */
  readonly executed?: 'no' | 'refused' | 'unknown' | undefined;
  /** The origin that the answer points to; the request was not executed. */
  readonly redirect?: string | undefined;
  /** No leader stands behind the answer. */
  readonly leaderless?: boolean;
  /** Not what was expected of the member at this endpoint: something may have come in its place, and a probe shall tell. */
  readonly isStrange?: boolean;
  /** The error to end in, should it come to that. */
  readonly toError: (details: { endpoint: string; attempts: readonly Attempt[] }) => EtcdError;
}

/** An answer that is not a success, made by the API's decoder and judged by the call. */
export class Fault extends Error {
  readonly config: FaultConfig;

  constructor(config: FaultConfig) {
    super(oneLine(config.summary));
    this.name = 'Fault';
    this.config = config;
  }
}
