import type { AllHttpHeaders } from '../http.js';

/** Response headers as undici hands them over, names and values in turn; those that nobody asks for are never decoded. */
export class UndiciHeaders implements AllHttpHeaders {
  readonly #raw: readonly Buffer[];

  constructor(raw: readonly Buffer[]) {
    this.#raw = raw;
  }

  /** By lower-case name. One that came several times is a list, its values joined by commas. */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      // Most names differ in length.
      if (this.#raw[i]?.length !== name.length || this.#text(i).toLowerCase() !== name) continue;
      found = found === undefined ? this.#text(i + 1) : `${found}, ${this.#text(i + 1)}`;
    }
    return found;
  }

  toJSON(): object {
    const names = this.#raw.flatMap((_, i) => (i % 2 === 0 ? [this.#text(i).toLowerCase()] : []));
    return Object.fromEntries(names.map((name) => [name, this.get(name)]));
  }

  #text(i: number): string {
    return this.#raw[i]?.toString('latin1') ?? '';
  }
}
