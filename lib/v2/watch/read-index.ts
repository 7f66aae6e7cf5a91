import { defer, map, tap, type Observable } from 'rxjs';
import { AuthenticationError, EtcdErrorCode } from '../../errors.js';
import { answerOf, isAnonymous, learn, type V2Context } from '../context.js';
import { authenticationHint } from '../../cluster/server-answer.js';
import { keysFaultOf } from '../wire/decode.js';
import { isIndex } from '../wire/keys-body.js';
import { parseJson } from '../../transport/parse-json.js';
import { isRecord } from '../../check.js';
import { defined } from '../../util/defined.js';
import { keyPath } from '../wire/key-path.js';
import { withQuery } from '../wire/params.js';
import { memberRequest } from './member-request.js';

/** What a member says of its store. */
export interface StoreIndex {
  readonly endpoint: string;
  /** The store's index; 0 if it could not be learnt, for want of a right. */
  readonly index: number;
  /** When the question was sent. */
  readonly sentAt: number;
  /** Whether the member answered at all. */
  readonly answered: boolean;
  /** Whether it refused to tell, and its headers cannot be read. */
  readonly denied: boolean;
}

/** Where the index is asked for: a key that nobody has. */
function indexPath(key: string, quorum: boolean): string {
  return withQuery(`${keyPath(key).replace(/\/$/, '')}/_rxetcd`, { quorum });
}

/**
 * Asks one member for its store's index, by a key that does not exist: the cheapest question whose answer carries the
 * index even where headers cannot be read, in its body.
 *
 * @param key the question is asked below this key, where the watcher has rights
 */
export function readIndex$(
  context: V2Context,
  endpoint: string,
  key: string,
  quorum = false,
): Observable<StoreIndex> {
  const { transport, settings } = context;
  return defer(() => {
    const sentAt = performance.now();
    const request = memberRequest(context, {
      endpoint,
      path: indexPath(key, quorum),
      timeout: quorum ? settings.timeout : settings.probeTimeout,
      operation: 'index',
    });
    return transport.exchange$(request).pipe(
      map((response) => {
        const { status, headers } = response;
        const { etcdIndex, clusterId } = learn(context, endpoint, status, headers);
        const json = parseJson(response.body);
        const told = isRecord(json) && isIndex(json['index']) ? json['index'] : undefined;
        // An answer that was cut off is no word that the index is 0.
        if (status >= 500 || (etcdIndex ?? told) === undefined)
          throw keysFaultOf(answerOf(context, `watch ${key}`, endpoint, response), json);
        context.watermark.saw(defined({ etcdIndex: told, clusterId }));
        const denied = status === 401 && etcdIndex === undefined;
        return { endpoint, index: etcdIndex ?? told ?? 0, sentAt, answered: true, denied };
      }),
    );
  });
}

/** The same for a watch that cannot begin without it. */
export function demandIndex$(context: V2Context, endpoint: string, key: string): Observable<StoreIndex> {
  return readIndex$(context, endpoint, key).pipe(
    tap(({ denied }) => {
      if (!denied) return;
      const hint = authenticationHint(isAnonymous(context), right);
      throw new AuthenticationError(`watch ${key}`, refusal, { endpoint, hint });
    }),
  );
}

const refusal = {
  errorCode: EtcdErrorCode.Unauthorized,
  message: 'the index of the store cannot be asked for',
  reason: '',
  index: 0,
  status: 401,
};
const right = 'the right to read below the key, which takes the place of headers';
