import type { Observable } from 'rxjs';
import { send$, type Call } from '../../cluster/send.js';
import type { HttpRequest, HttpResponse } from '../../transport/http.js';
import type { OwnSecrets } from '../../transport/secrets.js';
import { isAnonymous, learn, type V3Context } from '../context.js';
import type { ResponseInfo } from '../model/response-info.js';
import { heeding } from '../token-keeper.js';
import { decodeAnswer, type GatewayAnswer } from '../wire/gateway-answer.js';
import { encodeJson } from '../wire/json-codec.js';
import type { Answer } from '../wire/messages.js';
import {
  methodOf,
  type AnswerOf,
  type Headless,
  type RequestOf,
  type ServiceName,
  type UnaryMethod,
  type UnaryName,
} from '../wire/methods.js';
import { retryClassOf } from './retry-classes.js';

/** What is told of the server beside an answer; some releases tell nothing with some methods. */
type InfoOf<S extends ServiceName, M extends UnaryName<S>> =
  Headless<S, M> extends true ? ResponseInfo | undefined : ResponseInfo;

/** A call of the v3 API, and how its answers are read. */
export interface V3Call<S extends ServiceName, M extends UnaryName<S>, T> extends Pick<
  Call<HttpRequest, HttpResponse, T>,
  'operation' | 'settings' | 'at'
> {
  readonly service: S;
  readonly method: M;
  readonly message: RequestOf<S, M>;
  readonly read: (answer: AnswerOf<S, M>, info: InfoOf<S, M>) => T;
}

/** Sends a call over the JSON gateway; from each of its answers the client learns. Throws what cannot be sent. */
export function v3Call$<S extends ServiceName, M extends UnaryName<S>, T>(
  context: V3Context,
  { operation, settings, at, service, method: name, message, read }: V3Call<S, M, T>,
): Observable<T> {
  const method = methodOf(service, name) as UnaryMethod;
  const body = encodeJson(method.request, message as never);
  const secrets = secretsOf(service, message);
  // Who asks for a token has none.
  const tokens = service === 'Auth' && name === 'Authenticate' ? undefined : context.tokens;
  return send$<HttpRequest, HttpResponse, T>(context, {
    operation,
    retryClass: retryClassOf(service, name, message),
    settings,
    at,
    credentials: tokens,
    request: (endpoint, timeout): HttpRequest => ({
      method: 'POST',
      path: method.path,
      endpoint,
      timeout,
      operation: `${service}.${name}`,
      pool: 'command',
      body,
      contentType: 'application/json',
      authorization: service === 'Auth' && name === 'Authenticate' ? undefined : context.token(),
      secret: secrets.secret,
    }),
    read: ({ status, body: text }, { endpoint, authorization }) => {
      // Whoever answers is there, whatever that is.
      context.cluster.heard(endpoint);
      const told: GatewayAnswer = {
        operation,
        status,
        body: text,
        endpoint,
        version: context.cluster.version(endpoint),
        secrets: context.transport.secrets,
        own: { ...secrets, authorization },
        anonymous: isAnonymous(context, authorization),
      };
      const answer = heeding(tokens, authorization, () => decodeAnswer(told, method)) as AnswerOf<S, M> & {
        readonly header?: Answer<'ResponseHeader'> | undefined;
      };
      return read(answer, learn(context, endpoint, answer.header) as InfoOf<S, M>);
    },
  });
}

/** What a message holds that must not be told: a password that it sets; all of an answer, where that is a token. */
function secretsOf(service: ServiceName, message: object): OwnSecrets {
  const password = 'password' in message ? message.password : undefined;
  return {
    secret: typeof password === 'string' ? password : undefined,
    keepsNoBody: service === 'Auth',
  };
}
