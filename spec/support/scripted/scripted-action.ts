import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { EMPTY, NEVER, Observable, catchError, ignoreElements, isObservable, tap } from 'rxjs';
import { resetSocket } from '../proxies/reset-socket.js';

/** Status and headers; `Content-Type: application/json` unless given. */
interface ScriptedHead {
  status: number;
  headers?: OutgoingHttpHeaders;
}

/**
 * What a scripted server does with a request:
 * - an answer; an object becomes JSON, the values of an Observable are written as they come, behind the headers, and its error is a reset;
 * - the headers at once and never a body;
 * - exactly these bytes, status line included (after 'silence' the connection stays open, and no later request on it gets an answer);
 * - a reset, or nothing at all.
 */
export type ScriptedAction =
  | (ScriptedHead & { body?: string | object | Observable<string> })
  | { headersThenSilence: ScriptedHead }
  | { raw: string | Buffer; then: 'end' | 'reset' | 'silence' }
  | { reset: true }
  | { silence: true };

/** Does it; the Observable emits nothing and lasts until the server has no more to say. */
export function performAction(action: ScriptedAction, response: ServerResponse): Observable<never> {
  if ('status' in action) return answer(action, response);
  if ('raw' in action) return writeRaw(action, response);
  if ('headersThenSilence' in action) writeHead(action.headersThenSilence, response);
  if (!('reset' in action)) return NEVER;
  return reset(response);
}

function reset({ socket }: ServerResponse): Observable<never> {
  if (socket) resetSocket(socket);
  return EMPTY;
}

function writeRaw(
  { raw, then }: { raw: string | Buffer; then: string },
  { socket }: ServerResponse,
): Observable<never> {
  socket?.write(raw, () => {
    if (then === 'end') socket.end();
    if (then === 'reset') resetSocket(socket);
  });
  return then === 'silence' ? NEVER : EMPTY;
}

function writeHead({ status, headers }: ScriptedHead, response: ServerResponse): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.flushHeaders();
}

function answer(
  { body = '', ...head }: ScriptedHead & { body?: string | object | Observable<string> },
  response: ServerResponse,
): Observable<never> {
  if (isObservable(body)) {
    writeHead(head, response);
    return (body as Observable<string>).pipe(
      tap((part) => response.write(part)),
      ignoreElements(),
      tap({ complete: () => response.end() }),
      catchError(() => reset(response)),
    );
  }
  const whole = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(head.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(whole),
    ...head.headers,
  });
  response.end(whole);
  return EMPTY;
}
