import { catchError, defer, of, type Observable } from 'rxjs';
import {
  AuthenticationError,
  EtcdError,
  isKeyNotFound,
  isNotDirectory,
  isUnsupportedByServer,
} from '../../errors.js';
import type { CallSettings } from '../../options.js';
import { isAnonymous, type V2Context } from '../context.js';
import type { KeyCalls } from './key-calls.js';

/**
 * Whether this is an etcd with the v2 API that takes the client's credentials: one read of a key, of each endpoint once.
 * A key that is not there is as good as one that is.
 */
export function checkServer$(
  context: V2Context,
  calls: KeyCalls,
  key: string,
  deadline: number,
): Observable<unknown> {
  const { cluster, settings } = context;
  return defer(() => {
    const others = cluster.view.candidates.length - 1;
    const limits: CallSettings = {
      ...settings,
      deadline,
      retry: { ...settings.retry, max: Math.max(0, others) },
    };
    return calls.run$('get', key, { method: 'GET', name: 'connect' }, limits);
  }).pipe(
    catchError((error: unknown) => {
      if (isKeyNotFound(error) || isNotDirectory(error)) return of(undefined);
      throw explained(error);
    }),
  );

  function explained(error: unknown): unknown {
    if (error instanceof AuthenticationError) {
      const { errorCode, reason, index, status, attempts } = error;
      const who = isAnonymous(context)
        ? 'no credentials were given (option auth), or what stands for them is'
        : 'the user name or password is';
      const hint = `${who} wrong, or no right to read ${key} (option checkKey)`;
      const answer = { errorCode, message: 'Insufficient credentials', reason, index, status };
      return new AuthenticationError('connect', answer, { attempts, hint });
    }
    // An etcd tells its release, with the v2 API or without.
    if (isUnsupportedByServer(error) && cluster.version(error.endpoint ?? '') === undefined) {
      const { endpoint = '', attempts } = error;
      return new EtcdError('UNEXPECTED_RESPONSE', `connect: ${endpoint} is no etcd: it tells no release`, {
        endpoint,
        attempts,
      });
    }
    return error;
  }
}
