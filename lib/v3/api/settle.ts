import { catchError, defer, map, of, switchMap, throwError, timer, type Observable } from 'rxjs';
import { within } from '../../cluster/deadline.js';
import { isOutcomeUnknown } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import { backoff } from '../../util/backoff.js';
import { isSameBytes } from '../../util/same-bytes.js';
import { idNumber } from '../wire/ids.js';
import type { Answer, Message } from '../wire/messages.js';
import type { KvCalls, TxnAnswer } from './kv-calls.js';

/*
 * A transaction whose answer never came may have been applied, or may be applied later. To read what stands there settles
 * nothing. To repeat it does, if it demands a mod revision of the key that it changes: no key has the same one twice, so it
 * is applied once at most, and a success is the success of the first. A failed comparison tells that the key was changed, be it
 * by the first or by somebody else. A comparison with "no such key" is none of this kind: others may delete what was created,
 * and it holds again.
 */

type KeyValue = Answer<'KeyValue'>;

/** A transaction that changes one key if it has not been changed since it was read. */
export interface Commit {
  readonly operation: string;
  readonly key: Uint8Array;
  /** Its failure branch reads the key, first. */
  readonly message: Message<'TxnRequest'>;
  /** The mod revision that the key must have, if that is among what is compared. */
  readonly guard: number | undefined;
  /** Other keys are compared as well, and what does not hold of them may hold later. */
  readonly comparesOthers?: boolean;
  /** The value that is written, or that it had; undefined: the key is deleted. */
  readonly value: Uint8Array | typeof kept | undefined;
  /** The lease that the key is bound to then, or that it had. */
  readonly lease: string | undefined;
  /** The key as it was at the guard, if that is known. */
  readonly before?: KeyValue | undefined;
}

/** Of a value or a lease: the one that the key has. */
export const kept = 'kept';

/** So many changes of the key are looked through, one read each, for the one that came first. */
const mostSteps = 16;

/** The key as the failure branch of a transaction read it. */
export const foundBy = ({ responses }: Answer<'TxnResponse'>): KeyValue | undefined =>
  responses[0]?.response_range?.kvs[0];

/** Makes a transaction, and settles an outcome that is unknown if that can be done; else errors with OutcomeUnknownError. */
export function settled$(calls: KvCalls, commit: Commit, settings: CallSettings): Observable<TxnAnswer> {
  return defer(() => {
    const { operation, message, guard } = commit;
    const startedAt = performance.now();
    const left = (): CallSettings => within(settings, startedAt);

    const repeat$ = (unknown: unknown, n: number): Observable<TxnAnswer> => {
      const pause = backoff(n, settings.retry);
      if (n >= settings.retry.max || performance.now() + pause - startedAt >= settings.deadline)
        return throwError(() => unknown);
      return timer(pause).pipe(
        switchMap(() => calls.txn$(operation, message, left())),
        switchMap((answer) =>
          answer.answer.succeeded
            ? of(answer)
            : isAnothers$(calls, commit, foundBy(answer.answer), left()).pipe(
                map((isAnothers) => {
                  if (!isAnothers) throw unknown;
                  return answer;
                }),
              ),
        ),
        catchError((error: unknown) => {
          if (error !== unknown && isOutcomeUnknown(error)) return repeat$(unknown, n + 1);
          // Whatever became of the repetition, the first one is as unknown as it was.
          throw unknown;
        }),
      );
    };
    return calls.txn$(operation, message, settings).pipe(
      catchError((error: unknown) => {
        if (guard === undefined || !isOutcomeUnknown(error)) throw error;
        return repeat$(error, 0);
      }),
    );
  });
}

/**
 * Whether the first change of the key since the guard is certainly somebody else's: then the commit was not applied and never
 * will be. As long as a key is not deleted its changes are numbered, so that the first one can be found; it is not ours if it
 * wrote something else.
 */
function isAnothers$(
  calls: KvCalls,
  commit: Commit,
  found: KeyValue | undefined,
  settings: CallSettings,
): Observable<boolean> {
  const { operation, key, guard } = commit;
  const startedAt = performance.now();
  const at$ = (revision: number | undefined): Observable<KeyValue | undefined> =>
    calls
      .range$(operation, { key, revision }, within(settings, startedAt))
      .pipe(map(({ answer }) => answer.kvs[0]));
  // It has not been changed since: something else that was compared did not hold, and of the same key it never will.
  if (found !== undefined && found.mod_revision === guard) return of(commit.comparesOthers !== true);
  const before$ = commit.before === undefined ? at$(guard) : of(commit.before);
  return before$.pipe(
    switchMap((before) => {
      // It never had that mod revision.
      if (before?.mod_revision !== guard || before === undefined) return of(true);
      const look$ = (kv: KeyValue | undefined, steps: number): Observable<boolean> => {
        if (kv?.create_revision !== before.create_revision || kv.version <= before.version) return of(false);
        // It was not deleted.
        if (commit.value === undefined) return of(true);
        if (kv.version === before.version + 1) return of(!isAsWritten(kv, commit, before));
        return steps === 0
          ? of(false)
          : at$(kv.mod_revision - 1).pipe(switchMap((earlier) => look$(earlier, steps - 1)));
      };
      return look$(found, mostSteps);
    }),
  );
}

function isAsWritten(kv: KeyValue, { value, lease }: Commit, before: KeyValue): boolean {
  const [wanted, bound] = [value === kept ? before.value : value, lease === kept ? before.lease : lease];
  return wanted !== undefined && isSameBytes(kv.value, wanted) && number(kv.lease) === number(bound);
}

const number = (lease: string | undefined): bigint | undefined =>
  lease === undefined ? undefined : idNumber(lease);
