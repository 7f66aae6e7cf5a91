import { EtcdError, type EtcdErrorDetails } from '../errors.js';
import { isRefusal } from './http.js';
import { TransportError } from './transport-error.js';

/** What is known of an exchange that brought nothing usable. */
export interface UnusableConfig {
  /** Whether the request may have reached the server. */
  readonly sent: boolean;
  /** The status of the answer, if one came. */
  readonly status?: number | undefined;
  /** No retry of a watch mends it either: the cause lies in this program, or in what is asked for. */
  readonly lasting: boolean;
  /** The error that a caller gets. Default: an EtcdError `UNEXPECTED_RESPONSE` with the message. */
  readonly toError?: (operation: string, details: EtcdErrorDetails) => EtcdError;
}

/**
 * An answer that came and cannot be used, or a request that cannot be sent. Says nothing of the member; whoever asks
 * again gets the same.
 */
export class UnusableError extends TransportError {
  readonly status?: number;
  readonly lasting: boolean;
  readonly #toError: UnusableConfig['toError'];

  constructor(message: string, { sent, status, lasting, toError }: UnusableConfig) {
    super('unusable', message, sent);
    if (status !== undefined) this.status = status;
    this.lasting = lasting;
    this.#toError = toError;
  }

  /** Whether the request may have been executed. */
  get perhapsExecuted(): boolean {
    return this.sent && (this.status === undefined || !isRefusal(this.status));
  }

  /** What the status adds to an outcome that is unknown. */
  get outcome(): string {
    const { status } = this;
    const isSuccess = status !== undefined && status >= 200 && status < 300;
    return isSuccess ? `${this.message}; its status, ${status}, says that it was executed` : this.message;
  }

  /** The error for the caller of an operation. */
  toEtcdError(operation: string, details: EtcdErrorDetails): EtcdError {
    return (
      this.#toError?.(operation, details) ??
      new EtcdError('UNEXPECTED_RESPONSE', `${operation}: ${this.message}`, details)
    );
  }
}
