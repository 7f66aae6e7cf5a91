import { defer, type Observable } from 'rxjs';
import { send$, type Call } from '../../cluster/send.js';
import type { HttpRequest, HttpResponse } from '../../transport/http.js';
import type { OwnSecrets } from '../../transport/secrets.js';
import { answerOf, learn, type V2Context } from '../context.js';
import type { ResponseInfo } from '../model/model.js';
import type { Answer } from '../wire/decode.js';
import type { Mark } from '../watermark.js';

/** What a call of the v2 API sends, wherever that goes. */
type V2Request = Omit<HttpRequest, 'endpoint' | 'timeout' | 'pool'>;

/** A call of the v2 API, and how its answers are read. */
export interface V2Call<T> extends Omit<Call<V2Request, HttpResponse, T>, 'read'> {
  /** What its request holds besides the client's own credentials. */
  readonly own?: OwnSecrets;
  /** Throws a Fault for what is no success. */
  readonly read: (answer: Answer, info: ResponseInfo, response: HttpResponse) => T;
}

/** Sends a call; from each of its answers the client learns. */
export function v2Call$<T>(context: V2Context, call: V2Call<T>): Observable<T> {
  const { operation, retryClass, settings, at, before$, own } = call;
  const isWrite = retryClass === 'once' || retryClass === 'idempotent';
  return defer(() => {
    // One try after the other: that of the latest.
    let since: Mark | undefined;
    return send$(context, {
      operation,
      retryClass,
      settings,
      at,
      before$,
      request: (endpoint) => {
        if (isWrite) since = context.watermark.mark;
        return { ...call.request(endpoint), pool: 'command' as const };
      },
      read: (response: HttpResponse, endpoint) => {
        const info = learn(context, endpoint, response.status, response.headers, since);
        return call.read(answerOf(context, operation, endpoint, response, own), info, response);
      },
    });
  });
}
