import { AxiosHeaders } from 'axios';

/**
 * Response headers in the form that costs axios least: axios takes an instance of its own class as it is, and these
 * are lower-case from the start, so nothing is left to normalise.
 */
export class LeanHeaders extends AxiosHeaders {
  /** From names and values in turn, as undici hands them over. */
  static fromRaw(raw: readonly Buffer[]): LeanHeaders {
    const headers = new LeanHeaders();
    for (let i = 0; i + 1 < raw.length; i += 2) {
      headers[String(raw[i]).toLowerCase()] = String(raw[i + 1]);
    }
    return headers;
  }

  override normalize(): this {
    return this;
  }

  /** By lower-case name, without axios's search. */
  lookUp(name: string): string | undefined {
    return this[name] as string | undefined;
  }
}
