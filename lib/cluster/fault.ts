import type { Attempt, EtcdError } from '../errors.js';
import { oneLine } from '../util/one-line.js';

/** What an answer that is not a success means for the call. */
export interface FaultConfig {
  /** A few words for the list of attempts. */
  readonly summary: string;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  /** The API's own number of the error, if it has one; for the API alone. */
  readonly errorCode?: number | undefined;
  /**
   * Whether the request was executed: `'no'`, provably; `'refused'`: not, by the word of something in between, so that a
   * read may be sent again, but no write; or `'unknown'`. Undefined: the answer is final.
   */
  readonly executed?: 'no' | 'refused' | 'unknown' | undefined;
  /** Refused for the credentials that the request bore, before anything was executed: newer ones may do. */
  readonly credentialsRefused?: boolean | undefined;
  /** The answer points elsewhere: to this origin, if it says where. The request was not executed. */
  readonly redirect?: { readonly to: string | undefined } | undefined;
  /** No leader stands behind the answer. */
  readonly leaderless?: boolean;
  /** The word of a learner, which serves next to nothing: another member may do it. */
  readonly fromLearner?: boolean | undefined;
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
