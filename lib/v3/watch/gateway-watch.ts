import { concatMap, defer, map, tap, type Observable } from 'rxjs';
import type { HttpPart } from '../../transport/http.js';
import { unfinishedLine } from '../../transport/http1/unfinished-line.js';
import { Lines } from '../../transport/lines.js';
import { learn, type V3Context } from '../context.js';
import { heeding } from '../token-keeper.js';
import { decodeAnswer, decodeLine, type GatewayAnswer } from '../wire/gateway-answer.js';
import { refusesCredentials } from '../wire/grpc-error.js';
import { encodeJson } from '../wire/json-codec.js';
import { methodOf } from '../wire/methods.js';
import type { WatchMessage, WatchRequest } from './watch-stream.js';

const method = methodOf('Watch', 'Watch');

/**
 * A stream of watches over the JSON gateway: each request and each message is a JSON text in one line. With one request and
 * no more to come the body is closed, as proxies and browsers want it; else it stays open.
 *
 * Errors with a Fault for what is no such stream, and for the error that etcd ends one with; completes when it just ends.
 */
export function gatewayWatch$(
  context: V3Context,
  endpoint: string,
  requests: Observable<WatchRequest> | WatchRequest,
): Observable<WatchMessage> {
  const { transport, settings, cluster, token, tokens } = context;
  return defer(() => {
    const authorization = token();
    const lines = new Lines();
    let status = 0;
    let refused = '';
    const answerOf = (body: string): GatewayAnswer => ({
      operation: 'watch',
      status,
      body,
      endpoint,
      version: cluster.version(endpoint),
      secrets: transport.secrets,
      own: { authorization },
    });
    const refusalHeeded = (message: WatchMessage): WatchMessage => {
      if (message.canceled && refusesCredentials(message.cancel_reason)) tokens?.refused(authorization);
      return message;
    };
    const read = (part: HttpPart): readonly WatchMessage[] => {
      if (part.type === 'head') status = part.status;
      else if (part.type === 'text') {
        if (status === 200)
          return lines
            .add(part.text)
            .filter((line) => line !== '')
            .map((line) => decodeLine(answerOf(line), method))
            .map(refusalHeeded);
        refused += part.text;
      } else {
        if (status !== 200) decodeAnswer(answerOf(refused), method);
        // The last error of a stream has no end of its own.
        const rest = lines.rest;
        if (rest !== '') decodeLine(answerOf(rest), method);
      }
      return [];
    };
    const isOne = !('subscribe' in requests);
    return transport
      .parts$(
        {
          method: 'POST',
          endpoint,
          path: method.path,
          contentType: 'application/json',
          ...(isOne ? { body: encode(requests) } : { body: '', rest$: requests.pipe(map(encode)) }),
          authorization,
          timeout: settings.timeout,
          operation: 'watch',
          pool: 'watch',
          // It is endless: each line of it has its bound.
          count: unfinishedLine,
        },
        (part) => heeding(tokens, authorization, () => read(part)),
      )
      .pipe(
        concatMap((messages) => messages),
        // Here, and not in each of the thousand watches that it may be for.
        tap(({ header }) => {
          learn(context, endpoint, header);
        }),
      );
  });
}

const encode = (request: WatchRequest): string => `${encodeJson('WatchRequest', request)}\n`;
