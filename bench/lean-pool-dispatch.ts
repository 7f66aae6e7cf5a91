/**
 * A lean axios adapter over undici's `pool.dispatch`: one handler object per
 * request, chunks collected, decoded once.
 */
import { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { Dispatcher } from 'undici';
import { LazyHeaders, LeanHeaders, plainHeaders } from './lean-headers.js';
import { FORM_TYPE, type LeanAdapter, type LeanConfig } from './lean-config.js';

export type HeaderStyle = 'plain' | 'axios' | 'lean' | 'lazy';

const FORM_HEADERS = ['content-type', FORM_TYPE];
const METHODS: Readonly<Record<string, Dispatcher.HttpMethod>> = {
  get: 'GET',
  put: 'PUT',
  post: 'POST',
  delete: 'DELETE',
};

export function headersIn(style: HeaderStyle, raw: readonly Buffer[]): AxiosResponse['headers'] {
  switch (style) {
    case 'plain':
      return plainHeaders(raw);
    case 'axios':
      return new AxiosHeaders(plainHeaders(raw));
    case 'lean':
      return LeanHeaders.of(raw);
    case 'lazy':
      return LazyHeaders.of(raw);
  }
}

class Exchange implements Dispatcher.DispatchHandlers {
  #status = 0;
  #statusText = '';
  #headers: readonly Buffer[] = [];
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #abort: ((error?: Error) => void) | undefined;
  #cancelled = false;
  #onSignal: (() => void) | undefined;

  constructor(
    private readonly config: LeanConfig,
    private readonly style: HeaderStyle,
    private readonly resolve: (response: AxiosResponse<string>) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { signal, abortHandle } = config;
    if (abortHandle !== undefined) {
      abortHandle.end = () => this.cancel();
    } else if (signal !== undefined) {
      this.#onSignal = () => this.cancel();
      signal.addEventListener!('abort', this.#onSignal);
    }
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#abort !== undefined) this.#abort();
    else this.reject(new Error('cancelled before it was sent'));
  }

  #release(): void {
    const { signal, abortHandle } = this.config;
    if (abortHandle !== undefined) abortHandle.end = undefined;
    else if (signal !== undefined) signal.removeEventListener!('abort', this.#onSignal!);
  }

  onConnect(abort: (error?: Error) => void): void {
    // Throwing (instead of calling abort) keeps the connection for others.
    if (this.#cancelled) throw new Error('cancelled before it was sent');
    this.#abort = abort;
    if (this.config.abortHandle !== undefined) this.config.abortHandle.sent = true;
  }

  onHeaders(status: number, headers: Buffer[], _resume: () => void, statusText: string): boolean {
    this.#status = status;
    this.#headers = headers;
    this.#statusText = statusText;
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#first === undefined) this.#first = chunk;
    else (this.#rest ??= [this.#first]).push(chunk);
    return true;
  }

  onComplete(): void {
    this.#release();
    const body = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest);
    this.resolve({
      data: body === undefined ? '' : body.toString(),
      status: this.#status,
      statusText: this.#statusText,
      headers: headersIn(this.style, this.#headers),
      config: this.config,
      request: this,
    });
  }

  onError(error: Error): void {
    this.#release();
    this.reject(error);
  }
}

export function leanPoolDispatch(pool: Dispatcher, style: HeaderStyle = 'lean'): LeanAdapter {
  return (config: InternalAxiosRequestConfig) =>
    new Promise((resolve, reject) => {
      const body = config.data as string | undefined;
      const path = config.url ?? '/';
      const method = METHODS[config.method!]!;
      pool.dispatch(
        body === undefined ? { path, method } : { path, method, body, headers: FORM_HEADERS },
        new Exchange(config, style, resolve, reject),
      );
    });
}
