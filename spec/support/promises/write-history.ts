import {
  EtcdError,
  isAllNodesDown,
  isEtcdApiError,
  isOutcomeUnknown,
  isRequestTimeout,
  isStaleRead,
} from 'rxetcd';
import type { Attempt, KeyResponse } from 'rxetcd';
import { firstValueFrom, type Observable } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import type { RegisterCall } from './linearizability.js';

/** What a call is to do. */
export interface Intent {
  readonly operation: 'get' | 'set' | 'create' | 'createInOrder' | 'compareAndSwap' | 'compareAndDelete';
  /** Of `createInOrder` its directory. */
  readonly key: string;
  /** What it stores. */
  readonly value?: string;
  /** What the key must hold; undefined: nothing. */
  readonly expected?: string | undefined;
}

/** A call as its caller has seen it. */
export interface WriteCall extends Intent {
  /** The number of its client. */
  readonly client: number;
  /** On a clock that ticks at each start and end. */
  readonly start: number;
  readonly end: number;
  /** `mismatch`: etcd answered that its condition does not hold. `failed`: surely not executed. */
  readonly outcome: 'ok' | 'mismatch' | 'failed' | 'unknown';
  /** The acknowledged key and index. */
  readonly acknowledged?: { readonly key: string; readonly index: number };
  /** Of a read; undefined: there is nothing. */
  readonly found?: { readonly value: string; readonly index: number };
  /** The tries of a call that failed. */
  readonly attempts?: readonly Attempt[];
  /** The error, if it is one that no call should end in. */
  readonly surprise?: string;
}

/** What etcd answers when a condition does not hold: missing, another value, already there. */
const mismatches = new Set([100, 101, 105]);

/** The calls of some clients, with their order in time. */
export class WriteHistory {
  readonly calls: WriteCall[] = [];
  /** When the calls under way began. */
  readonly #open = new Set<number>();
  #clock = 0;
  #acknowledged = 0;

  /** Writes acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Waits until every call that has begun by now has ended. */
  async settle(): Promise<void> {
    const now = this.#clock;
    await eventually(() => [...this.#open].every((start) => start > now), { within: 30_000 });
  }

  /** Makes the call, waits for its end, whichever, and keeps it. */
  async record(client: number, intent: Intent, answer$: Observable<KeyResponse>): Promise<WriteCall> {
    const start = (this.#clock += 1);
    this.#open.add(start);
    const ended = await firstValueFrom(answer$).then(
      (answer) => answered(intent, answer),
      (error: unknown) => ({
        ...judged(intent, error),
        ...(error instanceof Error && 'attempts' in error && { attempts: error.attempts as Attempt[] }),
      }),
    );
    const call: WriteCall = { ...intent, client, start, end: (this.#clock += 1), ...ended };
    this.#open.delete(start);
    this.calls.push(call);
    if (call.acknowledged !== undefined) this.#acknowledged += 1;
    return call;
  }
}

type Ended = Pick<WriteCall, 'outcome' | 'acknowledged' | 'found' | 'surprise'>;

function answered({ operation }: Intent, { node }: KeyResponse): Ended {
  const { key, value = '', modifiedIndex: index = 0 } = node;
  return operation === 'get'
    ? { outcome: 'ok', found: { value, index } }
    : { outcome: 'ok', acknowledged: { key, index } };
}

function judged({ operation }: Intent, error: unknown): Ended {
  const isUnconditional = operation === 'set' || operation === 'createInOrder';
  if (isEtcdApiError(error) && mismatches.has(error.errorCode) && !isUnconditional)
    return operation === 'get' ? { outcome: 'ok' } : { outcome: 'mismatch' };
  if (isOutcomeUnknown(error) && operation !== 'get') return { outcome: 'unknown' };
  const isExpected =
    isAllNodesDown(error) ||
    isRequestTimeout(error) ||
    (isStaleRead(error) && operation === 'get') ||
    isGarbledRefusal(error);
  return { outcome: 'failed', ...(isExpected ? {} : { surprise: String(error) }) };
}

/** Etcd refused, and its reason was lost on the way. */
function isGarbledRefusal(error: unknown): boolean {
  if (!(error instanceof EtcdError) || error.code !== 'UNEXPECTED_RESPONSE') return false;
  const { status = 0 } = error.attempts.at(-1) ?? {};
  return status >= 400 && status < 500;
}

/** The calls on one key as those of a register. */
export function registerCalls(calls: readonly WriteCall[], key: string): RegisterCall[] {
  return calls
    .filter((call) => call.key === key)
    .map(({ operation, value, expected, found, start, end, outcome }) => ({
      start,
      end,
      outcome,
      action:
        operation === 'get'
          ? { type: 'read', value: found?.value }
          : operation === 'set'
            ? { type: 'write', value }
            : { type: 'cas', expected, value },
    }));
}
