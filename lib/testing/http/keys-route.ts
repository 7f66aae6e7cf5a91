import { catchError, defer, map, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store-error.js';
import { isCreation } from '../store/store-event.js';
import type { StoreEvent } from '../store/store-event.js';
import { authSwitch } from './auth-route.js';
import { eventLine, keysNamespace, trimNamespace } from './key-json.js';
import { readKeysRequest } from './keys-request.js';
import type { KeysRequest } from './keys-request.js';
import { json, methodNotAllowed, withHeaders } from './reply.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';
import { ProposalError } from './served-member.js';
import type { Change, ServedMember } from './served-member.js';

const prefix = '/v2/keys';

/** The statuses that are not 400. */
const statuses: Readonly<Record<number, number>> = {
  100: 404,
  101: 412,
  102: 403,
  105: 412,
  108: 403,
  110: 401,
  300: 500,
};

/** `/v2/keys`, the tree of keys. */
export function keysRoute$(request: Request, member: ServedMember): Observable<Reply> {
  if (!['HEAD', 'GET', 'PUT', 'POST', 'DELETE'].includes(request.method))
    return of(methodNotAllowed('HEAD', 'GET', 'PUT', 'POST', 'DELETE'));
  return defer(() => answer$(request, member)).pipe(
    catchError((error: unknown) => {
      if (error instanceof StoreError) return of(errorReply(error));
      if (error instanceof ProposalError) return of(errorReply(new StoreError(300, error.message)));
      return throwError(() => error);
    }),
    map((reply) => withHeaders(reply, { 'X-Etcd-Cluster-Id': member.clusterId })),
  );
}

function answer$(request: Request, member: ServedMember): Observable<Reply> {
  const { method, path } = request;
  const wanted = readKeysRequest(request, member.now());
  const key = path.slice(prefix.length);
  demandRight(request, member, key, wanted.recursive);
  const at = keysNamespace + key;
  if (wanted.wait && !wanted.quorum) {
    const { recursive, stream, waitIndex: since } = wanted;
    const watcher = member.store.watch(at, { recursive, stream, since });
    const headers = headersOf(watcher.startIndex, member);
    return of({ status: 200, headers, body: watcher });
  }
  const isRead = method === 'HEAD' || (method === 'GET' && !wanted.quorum);
  const event$ = isRead
    ? of(member.store.get(at, wanted.recursive, wanted.sorted))
    : member.propose$(changeOf(method, at, wanted));
  return event$.pipe(map((event) => eventReply(event, member, wanted.noValueOnSuccess)));
}

/** What a request does to the store. */
function changeOf(method: string, path: string, wanted: KeysRequest): Change {
  const { dir, value, expireTime, refresh, prevValue, prevIndex, prevExist, recursive, sorted } = wanted;
  const written = { dir, value, expireTime, refresh };
  const condition = { prevValue, prevIndex };
  const isConditional = prevIndex > 0n || prevValue !== '';
  if (method === 'GET') return (store: Store) => store.get(path, recursive, sorted);
  if (method === 'POST') return (store) => store.create(path, written, true);
  if (method === 'DELETE') {
    return isConditional
      ? (store) => store.compareAndDelete(path, condition)
      : (store) => store.delete(path, { dir, recursive });
  }
  if (prevExist === false) return (store) => store.create(path, written);
  if (isConditional) return (store) => store.compareAndSwap(path, condition, written);
  return prevExist === true ? (store) => store.update(path, written) : (store) => store.set(path, written);
}

function demandRight(request: Request, member: ServedMember, key: string, recursive: boolean): void {
  const { auth } = member;
  countLookUp(member);
  const caller = auth.authenticate(request.headers.authorization);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const may = reads ? auth.mayRead(caller, key, recursive) : auth.mayWrite(caller, key, recursive);
  if (!may) throw new StoreError(110, 'Insufficient credentials');
}

/** Etcd looks into its store whether authentication is on, and counts that among the reads. */
function countLookUp({ store }: ServedMember): void {
  try {
    store.get(authSwitch);
  } catch {
    // Nobody has ever been given a right.
  }
}

const headersOf = (index: number, { raftIndex, raftTerm }: ServedMember): Record<string, string> => ({
  'Content-Type': 'application/json',
  'X-Etcd-Index': `${index}`,
  'X-Raft-Index': `${raftIndex}`,
  'X-Raft-Term': `${raftTerm}`,
});

function eventReply(event: StoreEvent, member: ServedMember, noValueOnSuccess: boolean): Reply {
  const { action, index } = event;
  const silent = noValueOnSuccess && ['set', 'compareAndSwap', 'create', 'update'].includes(action);
  return {
    status: isCreation(event) ? 201 : 200,
    headers: headersOf(index, member),
    body: silent ? `{"action":"${action}"}\n` : eventLine(event),
  };
}

function errorReply({ errorCode, message, reason, index }: StoreError): Reply {
  const cause = trimNamespace(reason);
  const body = { errorCode, message, ...(cause !== '' && { cause }), index };
  return withHeaders(json(statuses[errorCode] ?? 400, body), { 'X-Etcd-Index': `${index}` });
}
