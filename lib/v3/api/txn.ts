import { map, type Observable } from 'rxjs';
import { check, type Check } from '../../check.js';
import { unexpected } from '../../cluster/server-answer.js';
import { InvalidOptionError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import { nameOf } from '../model/key-range.js';
import type { ResponseInfo } from '../model/response-info.js';
import type { Message } from '../wire/messages.js';
import { freshRead$, type Asking } from './fresh-read.js';
import type { KvCalls, TxnAnswer } from './kv-calls.js';
import type { Operations, Transaction } from './op.js';
import { writes } from './retry-classes.js';
import { settled$ } from './settle.js';
import { guarded } from './txn-guard.js';
import { txnRequest } from './txn-request.js';
import { txnResult, type TxnResult } from './txn-result.js';

/** Options of `txn$`. */
export interface TxnOptions extends CallOptions {
  /**
   * Any member answers from what it has, without asking a majority: faster, also without a quorum, and perhaps older; never
   * older than what this client has seen. For a transaction that cannot write; where another one stands within it etcd asks a
   * majority nevertheless. Default false.
   */
  serializable?: boolean | undefined;
}

/** The answer to a transaction; `info` is that of all its operations. */
export type TxnResponse<
  Then extends Operations = Operations,
  Else extends Operations = Operations,
> = TxnResult<Then, Else> & { readonly info: ResponseInfo };

const txnChecks: Record<string, Check> = { serializable: check.boolean };

/** Transactions (etcd: https://etcd.io/docs/v3.5/learning/api/#transaction). */
export class TxnApi {
  readonly #calls: KvCalls;

  constructor(calls: KvCalls) {
    this.#calls = calls;
  }

  txn$<const Then extends Operations = readonly [], const Else extends Operations = readonly []>(
    transaction: Transaction<Then, Else>,
    options: TxnOptions = {},
  ): Observable<TxnResponse<Then, Else>> {
    return this.#calls.checked$(options, txnChecks, (settings) => {
      const { serializable = false } = options;
      const message = txnRequest(transaction, serializable);
      const operation = nameOfTxn(transaction);
      if (writes(message) && serializable)
        throw new InvalidOptionError('serializable', serializable, 'false for a transaction that may write');
      const answer$ = writes(message)
        ? this.#write$(operation, message, settings)
        : this.#read$(operation, transaction, serializable, settings);
      return answer$.pipe(
        map(({ answer, info }) => {
          const result = txnResult(transaction, answer);
          if (result === undefined)
            throw unexpected(operation, 'an operation has no answer', { endpoint: info.endpoint });
          return { ...result, info } as TxnResponse<Then, Else>;
        }),
      );
    });
  }

  #read$(
    operation: string,
    transaction: Transaction,
    serializable: boolean,
    settings: CallSettings,
  ): Observable<TxnAnswer> {
    const ask$ = (asking: Asking): Observable<TxnAnswer> =>
      this.#calls.txn$(operation, txnRequest(transaction, asking.serializable), asking.settings, asking.at);
    return freshRead$(this.#calls.context, { operation, settings, serializable, ask$ });
  }

  #write$(operation: string, message: Message<'TxnRequest'>, settings: CallSettings): Observable<TxnAnswer> {
    const commit = settings.retry.writes === 'idempotent' ? guarded(message) : undefined;
    if (commit === undefined) return this.#calls.txn$(operation, message, settings);
    return settled$(this.#calls, { operation, ...commit }, settings).pipe(map(withoutRead));
  }
}

/** The answer without that of the read that a guard has put before the failure. */
const withoutRead = ({ answer, info }: TxnAnswer): TxnAnswer => ({
  answer: answer.succeeded ? answer : { ...answer, responses: answer.responses.slice(1) },
  info,
});

/** What messages call a transaction that was checked. */
function nameOfTxn({ if: compared = [], then = [], else: otherwise = [] }: Transaction): string {
  const parts = [...compared, ...then, ...otherwise];
  const names = parts.flatMap((part) =>
    'key' in part ? nameOf(part.key) : 'range' in part ? nameOf(part.range) : [],
  );
  const [first, ...more] = new Set(names);
  if (first === undefined) return 'txn';
  return more.length === 0 ? `txn ${first}` : `txn ${first} and ${more.length} more`;
}
