import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import { bodyChunks } from './body-chunks.js';
import { requestHeaders, type AllHttpHeaders, type HttpRequest, type HttpResponse } from './http.js';
import type { Sender, Wire } from './wire.js';

/** What a platform adds to a request. */
export interface RequestSettings extends Omit<AxiosRequestConfig, 'headers'> {
  /** False: axios shall not set it of its own accord. */
  readonly headers?: Readonly<Record<string, false>>;
}

const asItIs = [(data: unknown): unknown => data];

/**
 * Sends through any axios instance with its own adapter, interceptors and proxy.
 *
 * @param settings more settings for the requests of a pool
 */
export function axiosSender(
  instance: AxiosInstance,
  settings: (pool: HttpRequest['pool']) => RequestSettings = () => ({}),
): Sender {
  const exchange = async (wire: Wire): Promise<HttpResponse> => {
    const { method, endpoint, path, body, pool } = wire.request;
    const controller = new AbortController();
    wire.onAbort = () => {
      controller.abort();
    };
    const { inParts } = wire;
    const more = settings(pool);
    const { status, headers, data } = await instance.request<unknown>({
      ...more,
      url: endpoint + path,
      method,
      headers: { ...more.headers, ...requestHeaders(wire.request) },
      data: body,
      responseType: inParts ? 'stream' : 'text',
      signal: controller.signal,
      // etcd's statuses are answers, redirects are for the cluster to judge, and bodies are decoded once, by content.
      validateStatus: () => true,
      maxRedirects: 0,
      transformRequest: asItIs,
      transformResponse: asItIs,
      // The transport keeps the time.
      timeout: 0,
    });
    const answer = { status, headers: headers as AllHttpHeaders };
    if (!inParts) return { ...answer, body: typeof data === 'string' ? data : '' };
    wire.head(status, answer.headers);
    for await (const piece of bodyChunks(data)) wire.text(piece);
    return { ...answer, body: '' };
  };
  return (wire) => {
    exchange(wire).then(
      (response) => {
        wire.done(response);
      },
      (thrown: unknown) => {
        wire.failed(thrown);
      },
    );
  };
}
