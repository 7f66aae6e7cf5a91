import type { EtcdClient } from 'rxetcd';
import { lastValueFrom, map, materialize, mergeMap, range, take, toArray, type Observable } from 'rxjs';
import type { ScriptedAction } from '../../support/scripted/scripted-action.js';
import type { ScriptedHandler } from '../../support/scripted/scripted-server.js';

const member = { id: '1', name: 'one', peerURLs: ['http://127.0.0.1:1'] };

/** One etcd that takes a while for each write, and has told which it executed. */
export function slowEtcd(delay: () => Observable<unknown>): {
  handler: ScriptedHandler;
  executed: ReadonlySet<string>;
} {
  const executed = new Set<string>();
  const handler: ScriptedHandler = ({ method, path, headers }) => {
    const whole = { ...member, clientURLs: [`http://${headers.host ?? ''}`] };
    if (path === '/v2/members/leader') return { status: 200, body: whole };
    if (path === '/v2/members') return { status: 200, body: { members: [whole] } };
    if (path === '/v2/stats/self') return { status: 200, body: { id: member.id } };
    if (path === '/version') return { status: 200, body: { etcdserver: '3.4.23', etcdcluster: '3.4.0' } };
    const key = path.slice('/v2/keys'.length);
    const answer: ScriptedAction = { status: 201, body: { action: 'set', node: { key, modifiedIndex: 7 } } };
    return delay().pipe(
      take(1),
      map(() => {
        if (method === 'PUT') executed.add(key);
        return answer;
      }),
    );
  };
  return { handler, executed };
}

/** Sets so many keys at once; how the calls ended. */
export const setAll = (client: EtcdClient, n: number, timeout = 60_000): Promise<string[]> =>
  lastValueFrom(
    range(0, n).pipe(
      mergeMap((i) => client.set$(`/k${String(i)}`, 'v', { timeout }).pipe(materialize())),
      map((end) => (end.kind === 'E' ? String(end.error) : end.kind)),
      toArray(),
    ),
  );
