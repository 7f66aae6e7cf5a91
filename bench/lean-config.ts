/**
 * What the lean adapters read from an axios config.
 */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

/**
 * Ends a request from outside. Not a plain object, so axios's mergeConfig hands
 * it through by reference.
 */
export class AbortHandle {
  /** Set by the adapter while the request can be ended. */
  end: ((error?: Error) => void) | undefined;
  /** Whether the request may have reached the server. */
  sent = false;

  abort(): void {
    this.end?.();
  }
}

export interface LeanConfig extends InternalAxiosRequestConfig {
  abortHandle?: AbortHandle;
}

export type LeanAdapter = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse<string>>;

export const FORM_TYPE = 'application/x-www-form-urlencoded';
