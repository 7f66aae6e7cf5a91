import { catchError, defer, map, merge, of, race, switchMap, type Observable } from 'rxjs';
import { AllNodesDownError, EtcdError, isClientClosed } from '../errors.js';
import type { CallSettings, Settings } from '../options.js';
import type { Cluster } from './cluster.js';
import type { Member } from './member.js';

/** What one member answered, with its name, or why it did not. */
export type MemberAnswer<T> =
  | ({ readonly member: Member; readonly endpoint: string } & T)
  | { readonly member: Member; readonly endpoint?: string; readonly error: EtcdError };

/** A member that is asked by itself has this much longer than for a probe: `/health` takes a second by design. */
const probesWaited = 2;

/**
 * Asks every member, all at once and each one time only; emits their answers as they come, one for each, dead ones
 * included. Without `timeout` among the call's options a member has twice the `probeTimeout`.
 */
export function eachMember$<T extends object>(
  { cluster, settings: client }: { readonly cluster: Cluster; readonly settings: Settings },
  settings: CallSettings,
  timeout: number | undefined,
  ask: (endpoint: string, settings: CallSettings) => Observable<T>,
): Observable<MemberAnswer<T>> {
  const limits: CallSettings = {
    ...settings,
    timeout: timeout ?? Math.min(settings.timeout, probesWaited * client.probeTimeout),
    retry: { ...settings.retry, max: 0 },
  };
  const answer$ = (member: Member): Observable<MemberAnswer<T>> =>
    defer(() => {
      const endpoint = cluster.endpointOf(member);
      if (endpoint === undefined) {
        const hint = 'none of its URLs can be used';
        const error = new AllNodesDownError(member.toString(), 'unreachable', { hint });
        return of({ member, error });
      }
      return ask(endpoint, limits).pipe(
        map((answer) => ({ member, endpoint, ...answer })),
        catchError((error: unknown) => {
          if (!(error instanceof EtcdError) || isClientClosed(error)) throw error;
          return of({ member, endpoint, error });
        }),
      );
    });
  const answers$ = cluster.settled$().pipe(switchMap(({ members }) => merge(...members.map(answer$))));
  // First the closed client's word: its view is complete, and would leave nothing to say.
  return race(cluster.closed$, answers$).pipe(cluster.active());
}
