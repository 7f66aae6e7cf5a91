import type { Observable } from 'rxjs';
import { send$, type Call } from '../../cluster/send.js';
import type { HttpRequest, HttpResponse } from '../../transport/http.js';
import type { OwnSecrets } from '../../transport/secrets.js';
import { answerOf, learn, type V2Context } from '../context.js';
import type { ResponseInfo } from '../model/model.js';
import type { Answer } from '../wire/decode.js';
import type { Mark } from '../watermark.js';

/** What a call of the v2 API sends, wherever that goes. */
type V2Request = Omit<HttpRequest, 'endpoint' | 'timeout' | 'pool' | 'maxBytes' | 'count'>;

/** One try of it. */
interface MarkedRequest extends HttpRequest {
  /** What had been seen of the store before a write. */
  readonly since: Mark | undefined;
}

/** A call of the v2 API, and how its answers are read. */
export interface V2Call<T> extends Omit<Call<MarkedRequest, HttpResponse, T>, 'request' | 'read'> {
  /** What is sent to that endpoint; throws what speaks against it. */
  readonly request: (endpoint: string) => V2Request;
  /** What its request holds besides the client's own credentials. */
  readonly own?: OwnSecrets;
  /** Throws a Fault for what is no success. */
  readonly read: (answer: Answer, info: ResponseInfo, response: HttpResponse) => T;
}

/** Sends a call; from each of its answers the client learns. */
export function v2Call$<T>(context: V2Context, call: V2Call<T>): Observable<T> {
  const { operation, retryClass, settings, at, before$, own } = call;
  const isWrite = retryClass === 'once' || retryClass === 'idempotent';
  return send$<MarkedRequest, HttpResponse, T>(context, {
    operation,
    retryClass,
    settings,
    at,
    before$,
    request: (endpoint, timeout): MarkedRequest => {
      const given = call.request(endpoint);
      // One by one: to spread them costs as much as to send them.
      return {
        method: given.method,
        path: given.path,
        endpoint,
        timeout,
        operation: given.operation,
        pool: 'command',
        body: given.body,
        contentType: given.contentType,
        authorization: given.authorization,
        secret: given.secret,
        headers: given.headers,
        since: isWrite ? context.watermark.mark : undefined,
      };
    },
    read: (response: HttpResponse, { endpoint, since }) => {
      const info = learn(context, endpoint, response.status, response.headers, since);
      return call.read(answerOf(context, operation, endpoint, response, own), info, response);
    },
  });
}
