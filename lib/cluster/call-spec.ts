import type { Observable } from 'rxjs';
import type { CallSettings } from '../options.js';
import type { Trace } from '../transport/transport.js';
import type { RetryClass } from './retry-class.js';

/** One call of an API. */
export interface CallSpec<T> {
  /** For messages: `set /a`. */
  readonly operation: string;
  readonly retryClass: RetryClass;
  readonly settings: CallSettings;
  /** The one endpoint that is asked, whoever leads. */
  readonly at?: string | undefined;
  /** Makes one try; emits once, or errors with a TransportError or a Fault. */
  readonly send: (endpoint: string, timeout: number, trace: Trace) => Observable<T>;
}
