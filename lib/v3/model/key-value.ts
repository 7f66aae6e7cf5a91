import { fromUtf8 } from '../../util/utf8.js';
import type { Answer } from '../wire/messages.js';

/** A key with its value, as it was at some revision. */
export interface KeyValue {
  /** The key as text; see `keyBytes` for one that is no UTF-8. */
  readonly key: string;
  /** The value as text; see `valueBytes` for one that is no UTF-8. Empty where keys alone were asked for. */
  readonly value: string;
  readonly keyBytes: Uint8Array;
  readonly valueBytes: Uint8Array;
  /** The revision at which the key was created. */
  readonly createRevision: number;
  /** The revision of its last change. */
  readonly modRevision: number;
  /** How often it was written since it was created; 1 at first. */
  readonly version: number;
  /** The lease that it is bound to, in hexadecimal as `etcdctl` prints it; absent without. */
  readonly lease?: string;
  /** The value as JSON; throws a SyntaxError, without the value, if it is none. */
  // The caller knows what stands there.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T = unknown>(): T;
}

/** What prints of a key with its value. */
type Printed = Omit<KeyValue, 'keyBytes' | 'valueBytes' | 'json'>;

/** A key and its value, text once it is read. */
class ReadKeyValue implements KeyValue {
  readonly keyBytes: Uint8Array;
  readonly valueBytes: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  declare readonly lease?: string;
  #key: string | undefined;
  #value: string | undefined;

  constructor(kv: Answer<'KeyValue'>) {
    this.keyBytes = kv.key;
    this.valueBytes = kv.value;
    this.createRevision = kv.create_revision;
    this.modRevision = kv.mod_revision;
    this.version = kv.version;
    if (kv.lease !== undefined) this.lease = kv.lease;
  }

  get key(): string {
    return (this.#key ??= fromUtf8(this.keyBytes));
  }

  get value(): string {
    return (this.#value ??= fromUtf8(this.valueBytes));
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.value) as T;
    } catch {
      throw new SyntaxError(`the value of ${JSON.stringify(this.key)} is no JSON`);
    }
  }

  /** Its fields, key and value as text. */
  toJSON(): Printed {
    const { key, value, createRevision, modRevision, version, lease } = this;
    return {
      key,
      value,
      createRevision,
      modRevision,
      version,
      ...(lease === undefined ? {} : { lease }),
    };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Printed {
    return this.toJSON();
  }
}

/** What etcd says of a key. */
export const keyValue = (kv: Answer<'KeyValue'>): KeyValue => new ReadKeyValue(kv);
