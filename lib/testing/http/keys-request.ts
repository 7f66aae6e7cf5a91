import { expiryAfter } from '../store/clock.js';
import { StoreError } from '../store/store-error.js';
import type { StoreErrorCode } from '../store/store-error.js';
import { BadForm, Form } from './form.js';
import type { Request } from './request.js';

/** What a request to `/v2/keys` asks for, once it is found to make sense. */
export interface KeysRequest {
  readonly prevIndex: bigint;
  readonly waitIndex: number;
  readonly recursive: boolean;
  readonly sorted: boolean;
  readonly wait: boolean;
  readonly dir: boolean;
  readonly quorum: boolean;
  readonly stream: boolean;
  readonly prevValue: string;
  readonly noValueOnSuccess: boolean;
  readonly expireTime: bigint | undefined;
  readonly prevExist: boolean | undefined;
  readonly refresh: boolean;
  readonly value: string;
}

const maxUint64 = 2n ** 64n - 1n;
const yes = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const no = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Checks the parameters in etcd's order, so that of several faults the same one is told; throws `StoreError`. */
export function readKeysRequest(request: Request, now: bigint): KeysRequest {
  const form = formOf(request);
  const prevIndex = uint(form, 'prevIndex', 203);
  const waitIndex = Number(uint(form, 'waitIndex', 203));
  const recursive = flag(form, 'recursive');
  const sorted = flag(form, 'sorted');
  const wait = flag(form, 'wait');
  const dir = flag(form, 'dir');
  const quorum = flag(form, 'quorum');
  const stream = flag(form, 'stream');
  if (wait && request.method !== 'GET')
    throw new StoreError(209, '"wait" can only be used with GET requests');
  const prevValue = form.get('prevValue');
  if (prevValue === '') throw new StoreError(201, '"prevValue" cannot be empty');
  const noValueOnSuccess = flag(form, 'noValueOnSuccess');
  const ttl = (form.get('ttl') ?? '') === '' ? undefined : uint(form, 'ttl', 202);
  const prevExist = form.has('prevExist') ? flag(form, 'prevExist', 'prevExist') : undefined;
  const refresh = flag(form, 'refresh', 'refresh');
  const value = form.get('value') ?? '';
  if (refresh && value !== '') throw new StoreError(211, 'A value was provided on a refresh');
  if (refresh && ttl === undefined) throw new StoreError(212, 'No TTL value set');
  const expireTime = ttl === undefined ? undefined : expiryAfter(ttl, now);
  return {
    prevIndex,
    waitIndex,
    recursive,
    sorted,
    wait,
    dir,
    quorum,
    stream,
    prevValue: prevValue ?? '',
    noValueOnSuccess,
    expireTime,
    prevExist,
    refresh,
    value,
  };
}

function formOf(request: Request): Form {
  try {
    return new Form(request);
  } catch (error) {
    if (error instanceof BadForm) throw new StoreError(210, error.message);
    throw error;
  }
}

function uint(form: Form, name: string, errorCode: StoreErrorCode): bigint {
  const value = form.get(name);
  if (value === undefined) return 0n;
  const number = /^\d+$/.test(value) ? BigInt(value) : -1n;
  if (number < 0n || number > maxUint64) throw new StoreError(errorCode, `invalid value for "${name}"`);
  return number;
}

/** @param named as the error names it, which etcd does not always quote */
function flag(form: Form, name: string, named = `"${name}"`): boolean {
  const value = form.get(name);
  if (value === undefined || no.has(value)) return false;
  if (yes.has(value)) return true;
  throw new StoreError(209, `invalid value for ${named}`);
}
