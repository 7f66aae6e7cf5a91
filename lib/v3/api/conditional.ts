import { map, type Observable } from 'rxjs';
import { check, type Check } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import type { CallOptions, CallSettings } from '../../options.js';
import { bytesOf, keyBytes, nameOf, type Key, type Value } from '../model/key-range.js';
import { deleteResponse, putResponse, type DeleteResponse, type PutResponse } from '../model/responses.js';
import type { Message } from '../wire/messages.js';
import { failure, hasModRevision, isAbsent, readOf } from './comparing.js';
import { leaseChecks, revisionCheck, type KvCalls, type TxnAnswer } from './kv-calls.js';
import { modified$, type Modification, type ModifyOptions, type ModifyResponse } from './modify.js';
import { putRequest } from './put-options.js';
import { kept, settled$ } from './settle.js';

/** Options of `create$`. */
export interface CreateOptions extends CallOptions {
  /** The id of the lease that the key is bound to, in hexadecimal: the key is deleted with it. Default: none. */
  lease?: string | undefined;
}

/** Options of `update$`. */
export interface UpdateOptions extends CreateOptions {
  /** Tells what was there before. Default false. */
  prevKv?: boolean | undefined;
  /** Keeps the lease that the key has. Default false: it loses it, or changes it for `lease`. */
  ignoreLease?: boolean | undefined;
}

/** What a conditional write compares with; at least one, and all that are given must hold. */
export type Condition =
  | {
      /** The value that the key must have; an empty one as well. */
      prevValue: Value;
      /** The mod revision that the key must have. */
      modRevision?: number | undefined;
      /** How often the key must have been written since it was created. */
      version?: number | undefined;
    }
  | { prevValue?: Value | undefined; modRevision: number; version?: number | undefined }
  | { prevValue?: Value | undefined; modRevision?: number | undefined; version: number };

/** Options of `compareAndSwap$`. */
export type CompareAndSwapOptions = Condition & UpdateOptions;

/** Options of `compareAndDelete$`. */
export type CompareAndDeleteOptions = Condition &
  CallOptions & {
    /** Tells what was there before. Default false. */
    prevKv?: boolean | undefined;
  };

const prevKvChecks: Record<string, Check> = { prevKv: check.boolean };
const updateChecks: Record<string, Check> = { ...leaseChecks, ...prevKvChecks, ignoreLease: check.boolean };
const versionCheck: Check = (v) =>
  Number.isSafeInteger(v) && (v as number) > 0 ? undefined : 'a version: an integer of 1 or more';
const conditionChecks: Record<string, Check> = {
  // Checked where its bytes are taken, which never shows it.
  prevValue: () => undefined,
  modRevision: revisionCheck,
  version: versionCheck,
};
const swapChecks: Record<string, Check> = { ...conditionChecks, ...updateChecks };
const removeChecks: Record<string, Check> = { ...conditionChecks, ...prevKvChecks };

type Compare = Message<'Compare'>;

/** What is wanted of one key, if what is compared holds. */
interface Wanted {
  readonly name: string;
  readonly key: Key;
  readonly compare: readonly Compare[];
  /** Undefined: the key is deleted. */
  readonly put?: Message<'PutRequest'>;
  readonly prevKv?: boolean | undefined;
}

/**
 * Writes that depend on what is there (etcd: https://etcd.io/docs/v3.5/learning/api/#transaction): one transaction each,
 * which reads the key if it does not write it.
 *
 * With `retry.writes: 'idempotent'` a write that compares the `modRevision` and whose answer never came is sent again, as it
 * was: it is applied once at most, and its answer settles the first. Where that leaves it open who has changed the key since,
 * and for all other writes here, it ends in OutcomeUnknownError.
 */
export class ConditionalApi {
  readonly #calls: KvCalls;

  constructor(calls: KvCalls) {
    this.#calls = calls;
  }

  create$(key: Key, value: Value, options: CreateOptions = {}): Observable<PutResponse> {
    return this.#calls.checked$(options, leaseChecks, (settings) => {
      const bytes = keyBytes('key', key);
      const compare = [isAbsent(bytes)];
      return this.#put$({ name: 'create', key, compare, put: putRequest(bytes, value, options) }, settings);
    });
  }

  update$(key: Key, value: Value, options: UpdateOptions = {}): Observable<PutResponse> {
    return this.#calls.checked$(options, updateChecks, (settings) => {
      const bytes = keyBytes('key', key);
      const compare: Compare[] = [{ key: bytes, target: 'VERSION', result: 'GREATER', version: 0 }];
      return this.#put$({ name: 'update', key, compare, put: putRequest(bytes, value, options) }, settings);
    });
  }

  compareAndSwap$(key: Key, value: Value, options: CompareAndSwapOptions): Observable<PutResponse> {
    return this.#calls.checked$(options, swapChecks, (settings) => {
      const bytes = keyBytes('key', key);
      const compare = comparesOf(bytes, options);
      const wanted = { name: 'compareAndSwap', key, compare, put: putRequest(bytes, value, options) };
      return this.#put$(wanted, settings, options.modRevision);
    });
  }

  compareAndDelete$(key: Key, options: CompareAndDeleteOptions): Observable<DeleteResponse> {
    return this.#calls.checked$(options, removeChecks, (settings) => {
      const compare = comparesOf(keyBytes('key', key), options);
      const { prevKv, modRevision } = options;
      return this.#commit$({ name: 'compareAndDelete', key, compare, prevKv }, settings, modRevision).pipe(
        map(({ answer, info }) => {
          const response = answer.responses[0]?.response_delete_range;
          return deleteResponse(response ?? { header: undefined, deleted: 0, prev_kvs: [] }, info);
        }),
      );
    });
  }

  modify$(key: Key, fn: Modification, options: ModifyOptions = {}): Observable<ModifyResponse> {
    return modified$(this.#calls, key, fn, options);
  }

  #put$(wanted: Wanted, settings: CallSettings, guard?: number): Observable<PutResponse> {
    return this.#commit$(wanted, settings, guard).pipe(
      map(({ answer, info }) => {
        const response = answer.responses[0]?.response_put;
        return putResponse(response ?? { header: undefined, prev_kv: undefined }, info);
      }),
    );
  }

  #commit$(
    { name, key: given, compare, put, prevKv }: Wanted,
    settings: CallSettings,
    modRevision?: number,
  ): Observable<TxnAnswer> {
    const operation = `${name} ${nameOf(given)}`;
    const key = keyBytes('key', given);
    const commit = {
      operation,
      key,
      message: {
        compare,
        success: [
          put === undefined ? { request_delete_range: { key, prev_kv: prevKv } } : { request_put: put },
        ],
        failure: [readOf(key)],
      },
      guard: settings.retry.writes === 'idempotent' ? modRevision : undefined,
      value: put?.value,
      lease: put?.ignore_lease === true ? kept : put?.lease,
    };
    return settled$(this.#calls, commit, settings).pipe(
      map((answer) => {
        if (!answer.answer.succeeded) throw failure(operation, answer);
        return answer;
      }),
    );
  }
}

function comparesOf(
  key: Uint8Array,
  { prevValue, modRevision, version }: Partial<Condition>,
): readonly Compare[] {
  const compares: Compare[] = [];
  if (prevValue !== undefined)
    compares.push({ key, target: 'VALUE', result: 'EQUAL', value: bytesOf('prevValue', prevValue) });
  if (modRevision !== undefined) compares.push(hasModRevision(key, modRevision));
  if (version !== undefined) compares.push({ key, target: 'VERSION', result: 'EQUAL', version });
  if (compares.length === 0)
    throw new InvalidOptionError(
      'modRevision',
      modRevision,
      'at least one of prevValue, modRevision and version',
    );
  return compares;
}
