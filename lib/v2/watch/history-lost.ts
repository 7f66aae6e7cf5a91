import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode, type LossReason } from '../../errors.js';

/** What the client finds out by itself, and how it says so. */
const findings = {
  cleared: 'something has happened that its polls did not bring',
  rebuilt: 'the cluster was rebuilt',
  'another-cluster': 'the cluster is another one',
} as const;

/** Events between a watch's cursor and now can no longer be had; the state must be read afresh. */
export class HistoryLost extends Error {
  readonly loss: LossReason;

  constructor(loss: keyof typeof findings) {
    super(findings[loss]);
    this.name = 'HistoryLost';
    this.loss = loss;
  }
}

/** Why events are gone, by the server's own word (401) or by what the client found out; undefined if they are not. */
export function lossOf(error: unknown): LossReason | undefined {
  if (error instanceof HistoryLost) return error.loss;
  return error instanceof Fault && error.config.errorCode === EtcdErrorCode.EventIndexCleared
    ? 'cleared'
    : undefined;
}

/** Whether the error says that events are gone. */
export const isHistoryLost = (error: unknown): boolean => lossOf(error) !== undefined;
