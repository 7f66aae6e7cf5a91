import type { AllHttpHeaders } from '../http.js';
import { UnusableError } from '../unusable.js';

/** The parts of an axios answer that are looked at. */
export interface AxiosAnswer {
  readonly status: number;
  readonly headers: AllHttpHeaders;
  readonly data: unknown;
}

/**
 * The answer that axios resolved with, which an interceptor or an adapter may have made into anything.
 *
 * @throws UnusableError when it is no answer any more
 */
export function axiosAnswer(given: unknown): AxiosAnswer {
  if (!isObject(given)) throw noAnswer(`${nameOf(given)} instead of a response`);
  const { status, headers, data } = given;
  if (typeof status !== 'number') throw noAnswer('a response without a status');
  if (!isObject(headers)) throw noAnswer('a response without headers', status);
  return { status, headers: headersOf(headers), data };
}

/**
 * The body of a complete answer as text.
 *
 * @throws UnusableError when it is neither text nor absent where it may be
 */
export function textOf(data: unknown, status: number, method: string): string {
  if (typeof data === 'string') return data;
  const isBodiless = method === 'HEAD' || status === 204 || status === 304;
  if ((data === undefined || data === null) && isBodiless) return '';
  throw noAnswer(`a response whose data is ${nameOf(data)}, not the text that was asked for`, status);
}

/**
 * The body of an answer in parts, to be iterated over: of a Node stream, a web stream, or (from an adapter that cannot
 * stream) the whole text at once.
 *
 * @throws UnusableError when it can be neither read in pieces nor taken as text
 */
export function piecesOf(data: unknown, status: number): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof data === 'string') return [data];
  if (typeof ReadableStream === 'function' && data instanceof ReadableStream) return readAll(data);
  if (isObject(data) && typeof data[Symbol.asyncIterator as never] === 'function')
    return data as unknown as AsyncIterable<unknown>;
  throw noAnswer(`a response whose data is ${nameOf(data)}, not the stream that was asked for`, status);
}

/** Not every browser can iterate over a stream. */
async function* readAll(stream: ReadableStream<unknown>): AsyncGenerator {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

const noAnswer = (what: string, status?: number): Error =>
  new UnusableError(`an interceptor or the adapter of the axios instance returned ${what}`, {
    sent: true,
    status,
    lasting: true,
  });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function nameOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'an array';
  return isObject(value) ? 'an object' : typeof value;
}

/** As they are if they can be asked by name, or a plain object of them. */
function headersOf(headers: Record<string, unknown>): AllHttpHeaders {
  if (typeof headers['get'] === 'function' && typeof headers['toJSON'] === 'function')
    return headers as unknown as AllHttpHeaders;
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { get: (name) => byName.get(name), toJSON: () => Object.fromEntries(byName) };
}
