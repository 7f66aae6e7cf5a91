import type { Observable } from 'rxjs';
import { decodeAnswer } from '../wire/gateway-answer.js';
import { encodeJson } from '../wire/json-codec.js';
import type { Answer, Message } from '../wire/messages.js';
import { methodOf } from '../wire/methods.js';
import type { GatewaySite } from './gateway-watch.js';

const method = methodOf('KV', 'Range');

/** Reads a range at one member, past the retries of a call; errors with a Fault or a TransportError. */
export function memberRange$(
  { transport, endpoint, timeout, authorization, version }: GatewaySite,
  request: Message<'RangeRequest'>,
): Observable<Answer<'RangeResponse'>> {
  const operation = 'watch';
  return transport.read$(
    {
      method: 'POST',
      endpoint,
      path: method.path,
      body: encodeJson(method.request, request),
      contentType: 'application/json',
      authorization,
      timeout,
      operation,
      pool: 'watch',
    },
    ({ status, body }) =>
      decodeAnswer({ operation, status, body, endpoint, version, secrets: transport.secrets }, method),
  );
}
