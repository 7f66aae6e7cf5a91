import { ResponseTooLargeError } from '../errors.js';
import { TransportError } from './transport-error.js';
import { UnusableError } from './unusable.js';

/** The bound of a probe's answer, whatever the option says: it may come from a stranger. */
export const maxProbeBytes = 256 * 1024;

/** The answer of an exchange is larger than its bound. */
export function tooLarge(maxBytes: number, operation: string, status?: number): TransportError {
  const what = `the answer is larger than ${maxBytes} bytes`;
  if (operation === 'probe') return new TransportError('other', `${what}, the bound of a probe`, true);
  return new UnusableError(`${what}, the option maxResponseBytes`, {
    sent: true,
    status,
    lasting: true,
    toError: (called, details) => new ResponseTooLargeError(called, maxBytes, details),
  });
}
