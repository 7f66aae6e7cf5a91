import { catchError, defer, of, type Observable } from 'rxjs';
import { isEtcdApiError } from '../../errors.js';
import type { Settings } from '../../options.js';
import type { V3Context } from '../context.js';
import { TokenKeeper } from '../token-keeper.js';
import { waitMs } from './timing.js';
import { v3Call$ } from './v3-call.js';

/** Where a client gets its tokens from; undefined without name and password. */
export const tokensOf = (
  { auth }: Pick<Settings, 'auth'>,
  context: () => V3Context,
): TokenKeeper | undefined =>
  auth && new TokenKeeper(defer(() => authenticate$(context(), auth.username, auth.password)));

/** Exchanges name and password for a token; emits undefined where authentication is off. */
function authenticate$(context: V3Context, name: string, password: string): Observable<string | undefined> {
  return v3Call$(context, {
    operation: 'authenticate',
    // Each who waits has a deadline of its own.
    settings: { ...context.settings, deadline: waitMs },
    service: 'Auth',
    method: 'Authenticate',
    message: { name, password },
    read: ({ token }) => token,
  }).pipe(
    catchError((error: unknown) => {
      if (isEtcdApiError(error) && error.message.includes('authentication is not enabled'))
        return of(undefined);
      throw error;
    }),
  );
}
