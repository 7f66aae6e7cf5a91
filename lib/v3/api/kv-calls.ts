import { defer, type Observable } from 'rxjs';
import { check, type Check } from '../../check.js';
import { checkedCall, type CallOptions, type CallSettings } from '../../options.js';
import type { V3Context } from '../context.js';
import type { ResponseInfo } from '../model/response-info.js';
import type { Answer, Message } from '../wire/messages.js';
import { idNumber } from '../wire/ids.js';
import { freshRead$, pastRead$, type Asking } from './fresh-read.js';
import { v3Call$ } from './v3-call.js';

/** An answer to a range request, and what it tells of the server. */
export interface RangeAnswer {
  readonly answer: Answer<'RangeResponse'>;
  readonly info: ResponseInfo;
}

/** An answer to a transaction, and what it tells of the server. */
export interface TxnAnswer {
  readonly answer: Answer<'TxnResponse'>;
  readonly info: ResponseInfo;
}

/** The check of a revision: none is below 1, and what a number cannot hold is none. */
export const revisionCheck: Check = (v) =>
  Number.isSafeInteger(v) && (v as number) > 0 ? undefined : 'a revision: an integer of 1 or more';

/** The check of how many keys are wanted. */
export const keysCheck: Check = (v) =>
  Number.isSafeInteger(v) && (v as number) > 0 ? undefined : 'a number of keys: an integer of 1 or more';

/** The check of a lease's id. */
const leaseCheck: Check = (v) => {
  const id = typeof v === 'string' ? idNumber(v) : undefined;
  return id === undefined || id === 0n || BigInt.asIntN(64, id) !== id
    ? 'the id of a lease, in hexadecimal digits'
    : undefined;
};

/** The checks of what a write binds its key to. */
export const leaseChecks: Record<string, Check> = { lease: leaseCheck };

/** The checks of the options of one read. */
export const readChecks: Record<string, Check> = { serializable: check.boolean, revision: revisionCheck };

/** How every call on keys is checked and sent. */
export class KvCalls {
  readonly context: V3Context;

  constructor(context: V3Context) {
    this.context = context;
  }

  /** Checks the options when subscribed, then goes on. */
  checked$<T>(
    options: CallOptions,
    checks: Record<string, Check>,
    proceed: (settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => proceed(checkedCall(this.context.settings, options, checks)));
  }

  /** Reads a range in one piece, never older than what was seen. */
  range$(
    operation: string,
    message: Message<'RangeRequest'>,
    settings: CallSettings,
  ): Observable<RangeAnswer> {
    const { serializable = false, revision } = message;
    const ask$ = (asking: Asking): Observable<RangeAnswer> =>
      v3Call$(this.context, {
        operation,
        settings: asking.settings,
        at: asking.at,
        service: 'KV',
        method: 'Range',
        message: { ...message, serializable: asking.serializable },
        read: (answer, info) => ({ answer, info }),
      });
    const read = { operation, settings, serializable, ask$ };
    return revision === undefined ? freshRead$(this.context, read) : pastRead$(this.context, revision, read);
  }

  /** Makes one transaction, by the endpoint `at` if that is given. */
  txn$(
    operation: string,
    message: Message<'TxnRequest'>,
    settings: CallSettings,
    at?: string,
  ): Observable<TxnAnswer> {
    return v3Call$(this.context, {
      operation,
      settings,
      at,
      service: 'KV',
      method: 'Txn',
      message,
      read: (answer, info) => ({ answer, info }),
    });
  }
}
