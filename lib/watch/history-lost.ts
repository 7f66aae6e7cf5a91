import type { Lost } from '../errors.js';

/** Events between a watch's position and now can no longer be had; the state must be read afresh. */
export class HistoryLost extends Error {
  /** Why they are lost. */
  readonly loss: Lost['reason'];

  constructor(loss: Lost['reason'], message: string) {
    super(message);
    this.name = 'HistoryLost';
    this.loss = loss;
  }
}
