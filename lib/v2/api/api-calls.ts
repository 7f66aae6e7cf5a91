import { defer, type Observable } from 'rxjs';
import { isRecord, type Check } from '../../check.js';
import { checkedCall, type CallOptions, type CallSettings } from '../../options.js';
import type { HttpMethod } from '../../transport/http.js';
import type { V2Context } from '../context.js';
import { faultOf, type Answer } from '../wire/decode.js';
import { isAuthentication } from '../wire/is-authentication.js';
import { parseJson } from '../../transport/parse-json.js';
import { demandRequestLine } from '../wire/request-size.js';
import { isOpen, retryClassOf, type ApiOperation } from './retry-classes.js';
import { v2Call$ } from './v2-call.js';

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
    return defer(() => proceed(checkedCall(this.context.settings, options, checks)));
  }

  /** A call that is one request, which may refuse what else it was given. */
  call$<T>(
    operation: ApiOperation,
    options: CallOptions,
    request: () => ApiRequest,
    read: (answer: Answer) => T,
  ): Observable<T> {
    return this.checked$(options, {}, (settings) => this.run$(operation, request(), settings, read));
  }

  /** Sends the request as its operation may be sent; `read` throws a Fault for what is no success. */
  run$<T>(
    operation: ApiOperation,
    { method = 'GET', path, json, secret, as: called = operation, of, at }: ApiRequest,
    settings: CallSettings,
    read: (answer: Answer) => T,
  ): Observable<T> {
    const { context } = this;
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
      body: json && JSON.stringify(json),
      contentType: 'application/json',
      authorization: isOpen(operation) ? undefined : context.authorization,
      secret,
    };
    return v2Call$(context, {
      operation: name,
      retryClass: retryClassOf(operation),
      settings,
      at,
      request: () => request,
      own: { secret, keepsNoBody: isAuthentication(request) },
      read,
    });
  }
}

/** Reads an answer that need only be a success; etcd sends none with a body that is no JSON. */
export function demandSuccess(answer: Answer): void {
  const { status, body } = answer;
  const isWord = body.trim() === '' || isRecord(parseJson(body));
  if (status < 200 || status >= 300 || !isWord) throw faultOf(answer);
}

/** What may make a path long. */
const subjectOption = (operation: ApiOperation): string =>
  operation.startsWith('members.') ? 'id' : /role/i.test(operation) ? 'role' : 'user';
