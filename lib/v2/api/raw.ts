import { defer, type Observable } from 'rxjs';
import { check, checkOptions, demand, isRecord, secret, type Check } from '../../check.js';
import { InvalidOptionError } from '../../errors.js';
import { callChecks, resolveCall, type CallOptions } from '../../options.js';
import { httpMethods, type HttpMethod } from '../../transport/http.js';
import type { V2Context } from '../context.js';
import { faultOf } from '../wire/decode.js';
import type { ResponseInfo } from '../model/model.js';
import { isAuthentication } from '../wire/is-authentication.js';
import { encodeParams, withQuery, type Params } from '../wire/params.js';
import { parseJson } from '../../transport/parse-json.js';
import { demandRequestLine } from '../wire/request-size.js';
import { v2Call$ } from './v2-call.js';

/** Options of {@link EtcdClient.raw$}. */
export interface RawOptions extends CallOptions {
  /** The query; values that are undefined or false are left out. Default: none. */
  params?: Record<string, string | number | boolean | undefined> | undefined;
  /**
   * The body: text as it is, URLSearchParams as a form, any other object as a form below `/v2/keys` and as JSON
   * elsewhere. A `content-type` among the headers is sent instead of the one that follows from this. Default: none.
   */
  data?: string | URLSearchParams | Record<string, unknown> | undefined;
  /** More headers; `authorization` replaces the client's own. Default: none. */
  headers?: Record<string, string> | undefined;
}

/** An answer as it came. */
export interface RawResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body: parsed if it is JSON, else text. */
  readonly data: unknown;
  readonly info: ResponseInfo;
}

const pathCheck: Check = (v) =>
  check.string(v) ??
  (/^\/(?!\/)[!"$->@-~]*$/.test(v as string)
    ? undefined
    : 'a path that starts with one slash, percent-encoded, without query');

const paramsCheck: Check = (v) =>
  isRecord(v) && Object.entries(v).every(([name, x]) => check.string(name) === undefined && isScalar(x))
    ? undefined
    : 'an object of strings, numbers and booleans';

const isScalar = (v: unknown): boolean =>
  v === undefined || typeof v === 'boolean' || typeof v === 'number' || check.string(v) === undefined;

const dataCheck: Check = secret((v) =>
  v instanceof URLSearchParams || isRecord(v) || check.string(v) === undefined
    ? undefined
    : 'text, URLSearchParams or an object',
);

/** Set by whoever carries the request. */
const ownHeaders = new Set([
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
]);

const headersCheck: Check = secret((v) =>
  isRecord(v) && Object.entries(v).every(([name, value]) => isHeader(name, value))
    ? undefined
    : 'an object of header names and values, without those that belong to the connection',
);

const isHeader = (name: string, value: unknown): boolean =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(name) &&
  !ownHeaders.has(name.toLowerCase()) &&
  typeof value === 'string' &&
  /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

const rawChecks: Record<string, Check> = { params: paramsCheck, data: dataCheck, headers: headersCheck };

/** Whatever the other calls do not cover. */
export class RawApi {
  readonly #context: V2Context;

  constructor(context: V2Context) {
    this.#context = context;
  }

  raw$(method: HttpMethod, path: string, options: RawOptions = {}): Observable<RawResponse> {
    const context = this.#context;
    return defer(() => {
      demand('method', method, check.oneOf(...httpMethods));
      demand('path', path, pathCheck);
      checkOptions('', options, callChecks, rawChecks);
      const { params = {}, headers: given = {} } = options;
      const headers = Object.fromEntries(Object.entries(given).map(([name, v]) => [name.toLowerCase(), v]));
      const { authorization = context.authorization, ...rest } = headers;
      const target = withQuery(path, params);
      demandRequestLine(context.settings, method, target, { option: 'path', value: path });
      const request = {
        method,
        path: target,
        operation: 'raw',
        ...bodyOf(path, options.data),
        ...(authorization === undefined ? {} : { authorization }),
        headers: rest,
      };
      return v2Call$(context, {
        operation: `raw ${method} ${path}`,
        retryClass: method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'read' : 'once',
        settings: resolveCall(context.settings, options),
        request: () => request,
        own: { authorization, keepsNoBody: isAuthentication({ path, operation: 'raw' }) },
        read: (answer, info, response) => {
          const { status, body } = answer;
          if (status === 307) throw faultOf(answer);
          const json = parseJson(body);
          return {
            status,
            headers: plain(response.headers.toJSON()),
            data: json === undefined ? body : json,
            info,
          };
        },
      });
    });
  }
}

function bodyOf(path: string, data: RawOptions['data']): { body?: string; contentType?: string } {
  if (data === undefined) return {};
  if (typeof data === 'string') return { body: data };
  if (data instanceof URLSearchParams) return { body: data.toString() };
  const isKey = /^\/v2\/keys(\/|$)/.test(path);
  if (!isKey) return { body: jsonOf(data), contentType: 'application/json' };
  demand('data', data, secret(paramsCheck));
  return { body: encodeParams(data as Params) };
}

function plain(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, v]) => [name.toLowerCase(), String(v)]));
}

/** Not everything is JSON: a bigint, a circle, what a `toJSON` throws. */
function jsonOf(data: object): string {
  try {
    const json = JSON.stringify(data) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // Told below.
  }
  throw new InvalidOptionError('data', data, 'an object that JSON can carry', { secret: true });
}
