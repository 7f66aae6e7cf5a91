import type { Watcher } from '../store/watcher.js';
import { toJson } from '../go/to-json.js';

/** What is answered: all at once, or events as they come. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Watcher;
  /** Go's server finds out by itself that the body is plain text, and says so behind all other headers. */
  readonly sniffed?: true;
  /** No page of another origin may read it. */
  readonly closed?: true;
}

/** JSON with a line break behind it, unless told otherwise. */
export const json = (status: number, value: object, end: '\n' | '' = '\n'): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: toJson(value) + end,
});

/** A refusal outside the key space. */
export const message = (status: number, text: string): Reply => json(status, { message: text }, '');

/** An answer to those who may not ask. */
export const forbidden = (why: string): Reply => ({ ...message(403, why), closed: true });

export const text = (status: number, body: string): Reply => ({ status, headers: {}, body, sniffed: true });

const plainError = (status: number, body: string): Reply => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  body: `${body}\n`,
});

export const nothing = (status: number): Reply => ({ status, headers: {}, body: '' });

export const notFound = (): Reply => plainError(404, '404 page not found');

/** @param allowed without them the answer does not name them */
export function methodNotAllowed(...allowed: string[]): Reply {
  const reply = plainError(405, 'Method Not Allowed');
  if (allowed.length === 0) return reply;
  return { ...reply, headers: { ...reply.headers, Allow: allowed.join(',') } };
}

export const withHeaders = (reply: Reply, headers: Record<string, string>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
});
