import type { RetryClass } from '../../cluster/retry-class.js';
import type { Message } from '../wire/messages.js';
import type { MethodName, RequestOf, ServiceName } from '../wire/methods.js';

/** How the calls of a method may be repeated; where that hangs on what is asked, a function of it. */
type Classes = {
  readonly [S in ServiceName]?: {
    readonly [M in MethodName<S>]?: RetryClass | ((message: RequestOf<S, M>) => RetryClass);
  };
};

/**
 * The methods that may be repeated, and how. All others are `once`: sent again only if they provably never reached a member,
 * or were refused before anything was proposed. What is linearizable goes to the leader: any member would ask it, and one that
 * is cut off would wait for it. Users, roles and alarms are read by proposals, which change nothing.
 */
const repeatable: Classes = {
  KV: {
    Range: ({ serializable }) => (serializable === true ? 'read' : 'quorum-read'),
    Txn: (message) => (writes(message) ? 'once' : isSerializable(message) ? 'read' : 'quorum-read'),
  },
  Lease: { LeaseTimeToLive: 'quorum-read', LeaseLeases: 'leader-read' },
  Cluster: { MemberList: ({ linearizable }) => (linearizable === true ? 'quorum-read' : 'read') },
  Maintenance: {
    Alarm: ({ action = 'GET' }) => (action === 'GET' ? 'quorum-read' : 'once'),
    Status: 'read',
    Hash: 'read',
    HashKV: 'read',
  },
  Auth: {
    AuthStatus: 'quorum-read',
    Authenticate: 'quorum-read',
    UserGet: 'quorum-read',
    UserList: 'quorum-read',
    RoleGet: 'quorum-read',
    RoleList: 'quorum-read',
  },
  Election: { Leader: 'quorum-read' },
};

/** How a call may be repeated. */
export function retryClassOf<S extends ServiceName, M extends MethodName<S>>(
  service: S,
  method: M,
  message: RequestOf<S, M>,
): RetryClass {
  const classes: object = repeatable[service] ?? {};
  const known = (classes as Readonly<Record<string, RetryClass | ((asked: object) => RetryClass)>>)[method];
  return typeof known === 'function' ? known(message) : (known ?? 'once');
}

type Txn = Message<'TxnRequest'>;

/** What a transaction may do, whichever way it goes. */
const operations = ({ success = [], failure = [] }: Txn): readonly Message<'RequestOp'>[] => [
  ...success,
  ...failure,
];

/** Whether a transaction may change something, whichever way it goes. */
export const writes = (txn: Txn): boolean =>
  operations(txn).some(
    ({ request_put, request_delete_range, request_txn }) =>
      request_put !== undefined ||
      request_delete_range !== undefined ||
      (request_txn !== undefined && writes(request_txn)),
  );

/** Any member may answer it from what it has: as etcd, by its ranges alone; without one it is nothing to wait for. */
const isSerializable = (txn: Txn): boolean =>
  operations(txn).every(
    ({ request_range, request_txn }) =>
      (request_range === undefined || request_range.serializable === true) &&
      (request_txn === undefined || isSerializable(request_txn)),
  );
