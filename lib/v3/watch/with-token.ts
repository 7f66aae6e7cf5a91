import { catchError, concat, defer, type Observable } from 'rxjs';
import { EtcdError, isEtcdApiError, isUnsupportedByServer } from '../../errors.js';
import { MemberLeft } from '../../watch/member-left.js';
import type { V3Context } from '../context.js';

/**
 * What a watch does once there is a token, if it needs one. Errors with the server's word against name and password; what else
 * is in the way of a token may pass.
 */
export function withToken$<T>(
  { tokens }: Pick<V3Context, 'tokens'>,
  act: () => Observable<T>,
): Observable<T> {
  const wait$ = tokens?.wait$();
  if (wait$ === undefined) return act();
  return concat(wait$.pipe(catchError(passing)), defer(act));
}

function passing(error: unknown): never {
  if (!(error instanceof EtcdError) || isEtcdApiError(error) || isUnsupportedByServer(error)) throw error;
  throw new MemberLeft(error.toString());
}
