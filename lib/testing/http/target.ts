import { cleanPath } from '../store/paths.js';
import { textOfBinary } from './byte-text.js';
import { escapePath, unescapeBytes } from '../go/url-escape.js';

/** What a request line points at. */
export interface Target {
  readonly path: string;
  readonly query: string;
  /** Where the same path stands without empty and dotted segments, if it has such. */
  readonly cleanUrl?: string;
}

/** Takes the target as Node gives it, one character for each byte; undefined if it is none. */
export function readTarget(url: string): Target | undefined {
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  const query = mark < 0 ? '' : target.slice(mark + 1);
  try {
    const bytes = unescapeBytes(mark < 0 ? target : target.slice(0, mark)) || '/';
    if (!bytes.startsWith('/')) return undefined;
    const slash = bytes.length > 1 && bytes.endsWith('/') ? '/' : '';
    const clean = cleanPath(bytes);
    const cleanBytes = clean === '/' ? clean : clean + slash;
    const path = textOfBinary(bytes);
    if (cleanBytes === bytes) return { path, query };
    return { path, query, cleanUrl: escapePath(cleanBytes) + (mark < 0 ? '' : `?${query}`) };
  } catch {
    return undefined;
  }
}
