import { textOfBinary } from './byte-text.js';
import { readMediaType } from '../go/media-type.js';
import type { Request } from './request.js';
import { unescapeBytes } from '../go/url-escape.js';

/** The largest form that is read. */
const maxFormSize = 10 * 1024 * 1024;

/** A form that is refused; `message` is Go's. */
export class BadForm extends Error {}

/** Parameters by name: those of the body first, then those of the query. */
export class Form {
  readonly #values = new Map<string, string>();

  /** Throws `BadForm`. */
  constructor({ method, query, headers, body }: Request) {
    const problems: string[] = [];
    if (method === 'PUT' || method === 'POST') {
      const { type, problem } = readMediaType(headers['content-type'] ?? 'application/octet-stream');
      if (problem !== undefined) problems.push(problem);
      if (type === 'application/x-www-form-urlencoded') {
        if (body.length > maxFormSize) throw new BadForm('http: POST too large');
        this.#add(body.toString('latin1'), problems);
      }
    }
    this.#add(query, problems);
    if (problems[0] !== undefined) throw new BadForm(problems[0]);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The first value; undefined if there is none. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  #add(encoded: string, problems: string[]): void {
    let problem: string | undefined;
    for (const pair of encoded.split('&')) {
      if (pair.includes(';')) problem = 'invalid semicolon separator in query';
      else if (pair !== '') {
        try {
          const equals = pair.indexOf('=');
          const name = decode(equals < 0 ? pair : pair.slice(0, equals));
          const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
          if (!this.#values.has(name)) this.#values.set(name, value);
        } catch (error) {
          problem ??= error instanceof Error ? error.message : String(error);
        }
      }
    }
    if (problem !== undefined) problems.push(problem);
  }
}

const decode = (part: string): string => textOfBinary(unescapeBytes(part.replaceAll('+', ' ')));
