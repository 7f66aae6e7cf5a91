import { defer, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { nothing, withHeaders } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import { route$ } from './routes.js';
import type { ServedMember } from './served-member.js';
import type { Target } from './target.js';

/** What etcd 3.4 adds to each answer, so that any page may ask. */
export const corsHeaders = {
  'Access-Control-Allow-Headers': 'accept, content-type, authorization',
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
  'Access-Control-Allow-Origin': '*',
};

/** Answers one request, without the headers that every answer has. */
export function answer$(
  request: Omit<Request, 'path' | 'query'>,
  { cleanUrl, ...target }: Target,
  member: ServedMember,
): Observable<Reply> {
  if (request.method === 'OPTIONS') return of(nothing(200));
  if (cleanUrl !== undefined) return of(redirect(request.method, cleanUrl));
  return defer(() => route$({ ...request, ...target }, member));
}

function redirect(method: string, url: string): Reply {
  const moved = withHeaders(nothing(301), { Location: url });
  if (method !== 'GET' && method !== 'HEAD') return moved;
  const escaped = url.replace(/[&<>"']/g, (character) => htmlEscapes[character] ?? character);
  const page = method === 'GET' ? `<a href="${escaped}">Moved Permanently</a>.\n\n` : '';
  return { ...withHeaders(moved, { 'Content-Type': 'text/html; charset=utf-8' }), body: page };
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};
