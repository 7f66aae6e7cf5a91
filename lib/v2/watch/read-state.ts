import { map, of, switchMap, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode } from '../../errors.js';
import { answerOf, learn, type V2Context } from '../context.js';
import { decodeKeys, type Answer } from '../wire/decode.js';
import { keyPath } from '../wire/key-path.js';
import type { EtcdNode, ResponseInfo } from '../model/model.js';
import { withQuery } from '../wire/params.js';
import { withKey } from '../api/with-key.js';
import { memberRequest } from './member-request.js';
import { demandIndex$ } from './read-index.js';
import type { Target } from './target.js';

/** What stands at a key, and the index up to which that holds. */
export interface State {
  readonly node: EtcdNode;
  readonly index: number;
  readonly info: ResponseInfo;
}

/**
 * Reads the state of a target at one member. Where headers cannot be read the index is asked for before the state, so
 * that changes between the two may be seen twice but are never missed.
 */
export function readState$(context: V2Context, target: Target, endpoint: string): Observable<State> {
  const blind$ = demandIndex$(context, endpoint, target.key).pipe(
    switchMap(({ index }) => listing$(context, target, endpoint).pipe(map((state) => ({ ...state, index })))),
  );
  return listing$(context, target, endpoint).pipe(
    switchMap((state) => (state.info.etcdIndex === undefined ? blind$ : of(state))),
  );
}

function listing$(context: V2Context, { key, recursive }: Target, endpoint: string): Observable<State> {
  const { transport, settings } = context;
  const request = memberRequest(context, {
    endpoint,
    path: withQuery(keyPath(key), { recursive }),
    timeout: settings.timeout,
    operation: 'watch',
  });
  return transport.exchange$(request).pipe(
    map((response): State => {
      const info = learn(context, endpoint, response.status, response.headers);
      return {
        node: nodeOf(answerOf(context, `watch ${key}`, endpoint, response), key),
        index: info.etcdIndex ?? 0,
        info,
      };
    }),
  );
}

function nodeOf(answer: Answer, key: string): EtcdNode {
  try {
    return withKey(decodeKeys(answer, { key, method: 'GET' }).node ?? { key });
  } catch (error) {
    if (isAbsent(error)) return { key };
    throw error;
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Fault &&
  (error.config.errorCode === EtcdErrorCode.KeyNotFound ||
    error.config.errorCode === EtcdErrorCode.NotDirectory);
