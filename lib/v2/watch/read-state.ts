import { map, of, switchMap, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode } from '../../errors.js';
import { answerOf, learn } from '../context.js';
import { decodeKeys, type Answer } from '../wire/decode.js';
import { keyPath } from '../wire/key-path.js';
import type { EtcdNode, ResponseInfo } from '../model/model.js';
import { withQuery } from '../wire/params.js';
import { withKey } from '../api/with-key.js';
import { memberRequest } from './member-request.js';
import { demandIndex$ } from './read-index.js';
import type { LegSite } from './leg-site.js';
import type { Target } from './target.js';

/** What stands at a key, and the index up to which that holds. */
export interface State {
  readonly node: EtcdNode;
  readonly index: number;
  readonly info: ResponseInfo;
}

/** Where a state is read. */
type StateSite = Pick<LegSite, 'context' | 'endpoint'> & { readonly target: Target };

/**
 * Reads the state of a target at one member. Where headers cannot be read the index is asked for before the state, so
 * that changes between the two may be seen twice but are never missed.
 */
export function readState$(site: StateSite): Observable<State> {
  const { context, target, endpoint } = site;
  const blind$ = demandIndex$(context, endpoint, target.key).pipe(
    switchMap(({ index }) => listing$(site).pipe(map((state) => ({ ...state, index })))),
  );
  return listing$(site).pipe(switchMap((state) => (state.info.etcdIndex === undefined ? blind$ : of(state))));
}

function listing$({ context, target, endpoint }: StateSite): Observable<State> {
  const { transport, settings } = context;
  const { key, recursive } = target;
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
