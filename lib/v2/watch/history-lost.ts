import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode } from '../../errors.js';

/** Events between a watch's cursor and now can no longer be had; the state must be read afresh. */
export class HistoryLost extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'HistoryLost';
  }
}

/** Events are gone: by the server's own word (401), or by what the client found out. */
export function isHistoryLost(error: unknown): boolean {
  return (
    error instanceof HistoryLost ||
    (error instanceof Fault && error.config.errorCode === EtcdErrorCode.EventIndexCleared)
  );
}
