import { defer, type Observable } from 'rxjs';
import { checkOptions, isRecord, type Check } from '../../check.js';
import { call$ } from '../../cluster/call.js';
import { isAuthentication } from '../../insight/events.js';
import { callChecks, resolveCall, type CallOptions, type CallSettings } from '../../options.js';
import type { HttpMethod, HttpResponse } from '../../transport/http.js';
import { exchangeOf, learn, type V2Context } from '../context.js';
import { decodeObject, faultOf, type Exchange } from '../wire/decode.js';
import { parseJson } from '../wire/parse-json.js';
import { demandRequestLine } from '../wire/request-size.js';
import { apiRetryClasses, type ApiOperation } from './retry-classes.js';
import type { Shape } from '../wire/shape.js';

/** One request beside the keys API, before it is encoded. */
export interface ApiRequest {
  readonly method?: HttpMethod;
  readonly path: string;
  /** What is sent as JSON. */
  readonly json?: object;
  /** The password in it. */
  readonly secret?: string | undefined;
  /** What messages say after the operation's name: a member, a user. */
  readonly of?: string;
  /** What messages call the operation. Default: its own name. */
  readonly as?: string;
  /** The one endpoint that is asked. Default: as the operation's class says. */
  readonly at?: string | undefined;
}

/** An answer that is being read. */
export interface ApiAnswer extends HttpResponse {
  /** For messages. */
  readonly operation: string;
  readonly endpoint: string;
  readonly exchange: Exchange;
}

/** How every call beside the keys API is checked, sent and read. */
export class ApiCalls {
  readonly context: V2Context;

  constructor(context: V2Context) {
    this.context = context;
  }

  /** Checks the options when subscribed, then goes on. */
  checked$<T>(
    options: CallOptions,
    checks: Record<string, Check>,
    proceed: (settings: CallSettings) => Observable<T>,
  ): Observable<T> {
    return defer(() => {
      checkOptions('', options, { ...callChecks, ...checks });
      return proceed(resolveCall(this.context.settings, options));
    });
  }

  /** Sends the request as its operation may be sent; `read` throws a Fault for what is no success. */
  run$<T>(
    operation: ApiOperation,
    { method = 'GET', path, json, secret, as: called = operation, of, at }: ApiRequest,
    settings: CallSettings,
    read: (answer: ApiAnswer) => T,
  ): Observable<T> {
    const { context } = this;
    const { transport, cluster, events, authorization } = context;
    const { retryClass, open } = apiRetryClasses[operation];
    const subject = of ?? at;
    const name = subject === undefined ? called : `${called} ${subject}`;
    demandRequestLine(context.settings, method, path, {
      option: subjectOption(operation),
      value: subject ?? path,
    });
    const request = {
      method,
      path,
      operation,
      pool: 'command' as const,
      ...(json === undefined ? {} : { body: JSON.stringify(json), contentType: 'application/json' }),
      ...(authorization === undefined || open ? {} : { authorization }),
      ...(secret === undefined ? {} : { secret }),
    };
    const own = { secret, keepsNoBody: isAuthentication({ path, operation }) };
    return call$(cluster, events, {
      operation: name,
      retryClass,
      settings,
      at,
      send: (endpoint, timeout, trace) =>
        transport.read$(
          { ...request, endpoint, timeout },
          (response) => {
            const { status, headers } = response;
            learn(context, endpoint, status, headers);
            const exchange = exchangeOf(context, endpoint, status, headers, own);
            return read({ ...response, operation: name, endpoint, exchange });
          },
          trace,
        ),
    });
  }
}

/** Reads an answer that must be a JSON object of that shape. */
export const objectOf = (
  { operation, status, body, exchange }: ApiAnswer,
  shape: Shape,
): Record<string, unknown> => decodeObject(operation, status, body, exchange, shape);

/** Reads an answer that need only be a success; etcd sends none with a body that is no JSON. */
export function demandSuccess({ operation, status, body, exchange }: ApiAnswer): void {
  const isWord = body.trim() === '' || isRecord(parseJson(body));
  if (status < 200 || status >= 300 || !isWord) throw faultOf(operation, status, body, exchange);
}

/** What may make a path long. */
const subjectOption = (operation: ApiOperation): string =>
  operation.startsWith('members.') ? 'id' : /role/i.test(operation) ? 'role' : 'user';
