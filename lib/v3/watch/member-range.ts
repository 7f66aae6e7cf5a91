import type { Observable } from 'rxjs';
import { learn, type V3Context } from '../context.js';
import { heeding } from '../token-keeper.js';
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
  const { transport, settings, cluster, token, tokens } = context;
  const operation = 'watch';
  const authorization = token();
  return transport.read$(
    {
      method: 'POST',
      endpoint,
      path: method.path,
      body: encodeJson(method.request, request),
      contentType: 'application/json',
      authorization,
      timeout: settings.timeout,
      operation,
      pool: 'watch',
    },
    ({ status, body }) => {
      const { secrets } = transport;
      const version = cluster.version(endpoint);
      const own = { authorization };
      const answer = heeding(tokens, authorization, () =>
        decodeAnswer({ operation, status, body, endpoint, version, secrets, own }, method),
      );
      learn(context, endpoint, answer.header);
      return answer;
    },
  );
}
