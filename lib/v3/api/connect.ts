import { catchError, of, type Observable } from 'rxjs';
import { EtcdError, isUnsupportedByServer } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import { isPermissionDenied } from '../errors.js';
import type { KvCalls } from './kv-calls.js';

/**
 * Whether this is an etcd with the v3 API that takes the client's credentials: one read of a key, of each endpoint once. A key
 * that is not there is as good as one that is; so is one that the user may not read, as who is told that is known by name.
 *
 * @param mustBeReadable not so: the user is to have the right to read it
 */
export function checkServer$(
  calls: KvCalls,
  key: Uint8Array,
  mustBeReadable: boolean,
  deadline: number,
): Observable<unknown> {
  const { cluster, settings } = calls.context;
  const limits: CallSettings = {
    ...settings,
    deadline,
    retry: { ...settings.retry, max: Math.max(0, cluster.view.candidates.length - 1) },
  };
  const message = { key, limit: 1, keys_only: true };
  return calls.range$('connect', message, limits).pipe(
    catchError((error: unknown) => {
      if (!mustBeReadable && isPermissionDenied(error)) return of(undefined);
      // An etcd tells its release, with the v3 API or without.
      if (isUnsupportedByServer(error) && cluster.version(error.endpoint ?? '') === undefined) {
        const { endpoint = '', attempts } = error;
        throw new EtcdError('UNEXPECTED_RESPONSE', `connect: ${endpoint} is no etcd: it tells no release`, {
          endpoint,
          attempts,
        });
      }
      throw error;
    }),
  );
}
