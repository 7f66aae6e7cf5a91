import type { Observable } from 'rxjs';
import { learn, type V3Context } from '../context.js';
import { decodeAnswer } from '../wire/gateway-answer.js';
import { encodeJson } from '../wire/json-codec.js';
import type { Answer, Message } from '../wire/messages.js';
import { methodOf } from '../wire/methods.js';

const method = methodOf('KV', 'Range');

/** Reads a range at one member, past the retries of a call; errors with a Fault or a TransportError. */
export function memberRange$(
  context: V3Context,
  endpoint: string,
  request: Message<'RangeRequest'>,
): Observable<Answer<'RangeResponse'>> {
  const { transport, settings, cluster, token } = context;
  const operation = 'watch';
  return transport.read$(
    {
      method: 'POST',
      endpoint,
      path: method.path,
      body: encodeJson(method.request, request),
      contentType: 'application/json',
      authorization: token(),
      timeout: settings.timeout,
      operation,
      pool: 'watch',
    },
    ({ status, body }) => {
      const { secrets } = transport;
      const version = cluster.version(endpoint);
      const answer = decodeAnswer({ operation, status, body, endpoint, version, secrets }, method);
      learn(context, endpoint, answer.header);
      return answer;
    },
  );
}
