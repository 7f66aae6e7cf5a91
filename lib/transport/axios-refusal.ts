import { tooLarge, unexpected } from './refusals.js';
import type { TransportError } from './transport-error.js';
import type { Wire } from './wire.js';

/** Options that axios itself refuses before it sends anything. */
const refusedOption = /^ERR_(BAD_OPTION(_VALUE)?|NOT_SUPPORT|DEPRECATED)$/;

/**
 * What axios itself refused, by its own options: neither the member nor the network is to blame, and who asks again is
 * refused again. Undefined for any other failure.
 */
export function axiosRefusal(
  thrown: unknown,
  { maxBytes, request, sent }: Pick<Wire, 'maxBytes' | 'request' | 'sent'>,
): TransportError | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { code, message, request: asked, config } = thrown as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  const [, limit] = /^maxContentLength size of (\d+) exceeded/.exec(message) ?? [];
  if (limit !== undefined) {
    const status = statusOf(asked);
    if (Number(limit) === maxBytes) return tooLarge(maxBytes, request.operation, status);
    const what = `the answer is larger than the maxContentLength of the axios instance, ${limit} bytes`;
    return unexpected(what, { sent: true, status, lasting: true });
  }
  // What an interceptor asked of others says nothing of this request.
  const isOwn = (config as { url?: unknown } | undefined)?.url === request.endpoint + request.path;
  const mayBeSent = sent ?? !isOwn;
  if (message.includes('maxBodyLength limit') || code === 'ERR_FR_MAX_BODY_LENGTH_EXCEEDED')
    return unexpected('the request is larger than the maxBodyLength of the axios instance', {
      sent: mayBeSent,
      lasting: true,
    });
  if (refusedOption.test(code))
    return unexpected(`axios refused its options: ${message.split('\n')[0]?.slice(0, 200) ?? ''}`, {
      sent: mayBeSent,
      lasting: true,
    });
  return undefined;
}

/** The status of the answer that a Node request has received by now. */
function statusOf(asked: unknown): number | undefined {
  const { res } = (asked ?? {}) as { res?: { statusCode?: unknown } };
  return typeof res?.statusCode === 'number' ? res.statusCode : undefined;
}
