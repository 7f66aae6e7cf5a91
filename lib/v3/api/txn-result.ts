import {
  deleteResult,
  getResult,
  putResult,
  rangeResult,
  type DeleteResult,
  type GetResult,
  type PutResult,
  type RangeResult,
} from '../model/responses.js';
import type { Answer } from '../wire/messages.js';
import type { Operation, Operations, Transaction, TxnOperation } from './op.js';

interface Results {
  put: PutResult;
  get: GetResult;
  range: RangeResult;
  delete: DeleteResult;
}

/** What an operation is answered with. */
export type ResultOf<O extends Operation> =
  O extends TxnOperation<infer Then, infer Else> ? TxnResult<Then, Else> : Results[Exclude<O['type'], 'txn'>];

/** What operations are answered with, position by position. */
export type ResultsOf<Ops extends Operations> = { readonly [I in keyof Ops]: ResultOf<Ops[I]> };

/** Which list of a transaction was done, and what each of its operations is answered with. */
export type TxnResult<Then extends Operations = Operations, Else extends Operations = Operations> =
  | { readonly succeeded: true; readonly responses: ResultsOf<Then> }
  | { readonly succeeded: false; readonly responses: ResultsOf<Else> };

/** How the answer to an operation is read; undefined if it is that of another one. */
const readers: {
  readonly [T in keyof Results]: (answer: Partial<Answer<'ResponseOp'>>) => Results[T] | undefined;
} = {
  put: ({ response_put: answer }) => answer && putResult(answer),
  get: ({ response_range: answer }) => answer && getResult(answer),
  range: ({ response_range: answer }) => answer && rangeResult(answer),
  delete: ({ response_delete_range: answer }) => answer && deleteResult(answer),
};

/** What a transaction was answered with; undefined where an operation has no answer, which no server leaves out. */
export function txnResult(
  { then = [], else: otherwise = [] }: Transaction,
  { succeeded, responses }: Answer<'TxnResponse'>,
): TxnResult | undefined {
  const results: ResultOf<Operation>[] = [];
  for (const [i, operation] of (succeeded ? then : otherwise).entries()) {
    const result = resultOf(operation, responses[i] ?? {});
    if (result === undefined) return undefined;
    results.push(result);
  }
  return { succeeded, responses: results };
}

function resultOf(
  operation: Operation,
  answer: Partial<Answer<'ResponseOp'>>,
): ResultOf<Operation> | undefined {
  if (operation.type !== 'txn') return readers[operation.type](answer);
  return answer.response_txn && txnResult(operation, answer.response_txn);
}
