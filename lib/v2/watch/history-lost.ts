import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode, type Lost } from '../../errors.js';
import { HistoryLost } from '../../watch/history-lost.js';

/** What the client finds out by itself, and how it says so. */
const findings = {
  cleared: 'something has happened that its polls did not bring',
  rebuilt: 'the cluster was rebuilt',
  'another-cluster': 'the cluster is another one',
} as const;

/** What the client found out. */
export const historyLost = (loss: keyof typeof findings): HistoryLost =>
  new HistoryLost(loss, findings[loss]);

/** Why events are gone, by the server's own word (401) or by what the client found out; undefined if they are not. */
export function lossOf(error: unknown): Lost['reason'] | undefined {
  if (error instanceof HistoryLost) return error.loss;
  return error instanceof Fault && error.config.errorCode === EtcdErrorCode.EventIndexCleared
    ? 'cleared'
    : undefined;
}

/** Whether the error says that events are gone. */
export const isHistoryLost = (error: unknown): boolean => lossOf(error) !== undefined;
