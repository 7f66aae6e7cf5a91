import { tooLarge } from '../refusals.js';
import type { TransportError } from '../transport-error.js';
import { UnusableError } from '../unusable.js';
import type { Wire } from './wire.js';

/** How axios says that it refuses its options, before it sends anything; so does ERR_BAD_REQUEST without an answer. */
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
  const { code = '', message, request: asked, response, config } = thrown as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  const [, limit] = /^maxContentLength size of (\d+) exceeded/.exec(message) ?? [];
  if (limit !== undefined) {
    const status = statusOf(asked);
    if (Number(limit) === maxBytes) return tooLarge(maxBytes, request.operation, status);
    const what = `the answer is larger than the maxContentLength of the axios instance, ${limit} bytes`;
    return new UnusableError(what, { sent: true, status, lasting: true });
  }
  const isTooLong = message.includes('maxBodyLength limit') || code === 'ERR_FR_MAX_BODY_LENGTH_EXCEEDED';
  const isRefusal =
    refusedOption.test(code) ||
    (code === 'ERR_BAD_REQUEST' && response === undefined) ||
    (code === '' && message.startsWith('Unknown adapter '));
  if (!isTooLong && !isRefusal) return undefined;
  // What an interceptor asked of others says nothing of this request.
  const isOwn = (config as { url?: unknown } | undefined)?.url === request.endpoint + request.path;
  const what = isTooLong
    ? 'the request is larger than the maxBodyLength of the axios instance'
    : `axios refused its options: ${message.split('\n')[0] ?? ''}`;
  return new UnusableError(what, { sent: sent ?? !isOwn, lasting: true });
}

/** The status of the answer that a Node request has received by now. */
function statusOf(asked: unknown): number | undefined {
  const { res } = (asked ?? {}) as { res?: { statusCode?: unknown } };
  return typeof res?.statusCode === 'number' ? res.statusCode : undefined;
}
