import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import { axiosAnswer, piecesOf, textOf } from './axios-answer.js';
import { axiosRefusal } from './axios-refusal.js';
import { bodyChunks } from './body-chunks.js';
import { requestHeaders, type HttpResponse } from '../http.js';
import type { Sender, Wire } from './wire.js';

/** What a platform adds to a request. */
export interface RequestSettings extends Omit<AxiosRequestConfig, 'headers'> {
  /** False: axios shall not set it of its own accord. */
  readonly headers?: Readonly<Record<string, string | false>>;
}

const asItIs = [(data: unknown): unknown => data];

/** What a platform adds to all exchanges. */
export interface AxiosPlatform {
  /** More settings for one request. */
  readonly settings: (wire: Wire) => RequestSettings;
  /** Why a complete answer cannot be read, if that is so. */
  readonly flaw?: (answer: HttpResponse) => Error | undefined;
  /** Called when an exchange is over, before its answer is read. */
  readonly ended?: (wire: Wire) => void;
}

/** Sends through any axios instance with its own adapter, interceptors and proxy. */
export function axiosSender(instance: AxiosInstance, { settings, flaw, ended }: AxiosPlatform): Sender {
  const exchange = async (wire: Wire, controller: AbortController): Promise<HttpResponse> => {
    const { method, endpoint, path, body } = wire.request;
    wire.onAbort = () => {
      controller.abort();
    };
    const { inParts } = wire;
    const more = settings(wire);
    const given: unknown = await instance.request<unknown>({
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
      maxContentLength: contentBound(instance, wire),
    });
    const { status, headers, data } = axiosAnswer(given);
    wire.head(status, headers);
    if (!inParts) {
      const answer = { status, headers, body: textOf(data, status, method) };
      const error = flaw?.(answer);
      if (error !== undefined) throw error;
      // Not every adapter keeps to a bound.
      if (answer.body.length * 3 > wire.maxBytes) wire.takes(answer.body);
      return answer;
    }
    for await (const piece of bodyChunks(piecesOf(data, status), wire)) wire.text(piece);
    return { status, headers, body: '' };
  };
  return (wire) => {
    const controller = new AbortController();
    // What axios calls instead of taking its listener away: it would, before it can be told to end the connection.
    Object.assign(controller.signal, { unsubscribe: () => undefined });
    exchange(wire, controller).then(
      (response) => {
        ended?.(wire);
        wire.done(response);
      },
      (thrown: unknown) => {
        // axios's fetch adapter leaves the connection open of an answer that it has given up.
        controller.abort();
        ended?.(wire);
        // What failed unsent may have been sent by an interceptor in ways that nobody sees.
        wire.reached('unknown');
        wire.failed(axiosRefusal(thrown, wire) ?? thrown);
      },
    );
  };
}

/** Of what comes in parts the transport counts the parts: a watch is endless. And a HEAD has but the length of a body. */
function contentBound({ defaults }: AxiosInstance, { inParts, maxBytes, request }: Wire): number {
  if (inParts || request.method === 'HEAD') return -1;
  const { maxContentLength: own = -1 } = defaults as { maxContentLength?: number };
  return own >= 0 ? Math.min(own, maxBytes) : maxBytes;
}
