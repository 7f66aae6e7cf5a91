/**
 * Response headers for axios without its price: `dispatchRequest` calls
 * `AxiosHeaders.from(headers)` twice and `normalize()` once, and an instance of
 * a subclass passes all three by identity.
 */
import { AxiosHeaders } from 'axios';

const lowerCased = new Map<string, string>();

function lower(name: string): string {
  let known = lowerCased.get(name);
  if (known === undefined) {
    known = name.toLowerCase();
    if (lowerCased.size < 256) lowerCased.set(name, known);
  }
  return known;
}

/** undici's `[name, value, name, value, ...]` as a plain object, names in lower case. */
export function plainHeaders(raw: readonly Buffer[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    headers[lower(raw[i]!.toString('latin1'))] = raw[i + 1]!.toString('latin1');
  }
  return headers;
}

export class LeanHeaders extends AxiosHeaders {
  static of(raw: readonly Buffer[]): LeanHeaders {
    const headers = new LeanHeaders();
    for (let i = 0; i + 1 < raw.length; i += 2) {
      headers[lower(raw[i]!.toString('latin1'))] = raw[i + 1]!.toString('latin1');
    }
    return headers;
  }

  static ofObject(source: Readonly<Record<string, string | string[] | undefined>>): LeanHeaders {
    const headers = new LeanHeaders();
    for (const name in source) headers[name] = source[name] as string;
    return headers;
  }

  /** Names and values are normal from the start. */
  override normalize(): AxiosHeaders {
    return this;
  }
}

/** Keeps the bytes and decodes them only when somebody asks. */
export class LazyHeaders extends AxiosHeaders {
  #raw: readonly Buffer[] | undefined;

  static of(raw: readonly Buffer[]): LazyHeaders {
    const headers = new LazyHeaders();
    headers.#raw = raw;
    return headers;
  }

  #decode(): void {
    const raw = this.#raw;
    if (raw === undefined) return;
    this.#raw = undefined;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      this[lower(raw[i]!.toString('latin1'))] = raw[i + 1]!.toString('latin1');
    }
  }

  override get(name: string): never {
    this.#decode();
    return this[name] as never;
  }

  override normalize(): AxiosHeaders {
    return this;
  }
}
