import type { RetryClass } from '../../cluster/retry-class.js';

/** The operations on keys and directories. */
export type KeysOperation =
  | 'get'
  | 'quorumGet'
  | 'set'
  | 'create'
  | 'update'
  | 'refresh'
  | 'createInOrder'
  | 'delete'
  | 'compareAndSwap'
  | 'compareAndDelete'
  | 'setDir'
  | 'createDir'
  | 'updateDir'
  | 'createDirInOrder'
  | 'deleteDir';

/** The operations beside the keys API. */
export type ApiOperation =
  | 'machines'
  | 'version'
  | 'health'
  | `members.${'list' | 'leader' | 'add' | 'update' | 'remove'}`
  | `stats.${'leader' | 'self' | 'store'}`
  | `auth.${'status' | 'enable' | 'disable' | 'users' | 'user' | 'look' | 'roles' | 'role'}`
  | `auth.${'create' | 'update' | 'delete'}${'User' | 'Role'}`;

/**
 * The operations that may be repeated, and how. All others are `once`: sent again only if they provably never reached a
 * member, since repeated after an unknown outcome they could be applied twice, answer falsely ("not found", "compare
 * failed") or overwrite a later write. Beside this table `raw$` goes by its method, and a stale `get` is asked of the leader.
 */
const repeatable: Partial<Record<KeysOperation | ApiOperation, RetryClass>> = {
  get: 'read',
  quorumGet: 'quorum-read',
  set: 'idempotent',
  machines: 'read',
  version: 'read',
  health: 'read',
  'members.list': 'leader-read',
  'members.leader': 'quorum-read',
  'stats.leader': 'quorum-read',
  'stats.self': 'read',
  'stats.store': 'read',
  'auth.status': 'leader-read',
  'auth.users': 'leader-read',
  'auth.user': 'leader-read',
  // Before a change that hangs on the answer: by the leader, who will make it.
  'auth.look': 'quorum-read',
  'auth.roles': 'leader-read',
  'auth.role': 'leader-read',
};

/** How an operation may be repeated. */
export const retryClassOf = (operation: KeysOperation | ApiOperation): RetryClass =>
  repeatable[operation] ?? 'once';

/** Served to anyone: sent without credentials, whose check costs the server 60 ms. Of all that only read, but for users and roles. */
export const isOpen = (operation: ApiOperation): boolean =>
  retryClassOf(operation) !== 'once' && (operation === 'auth.status' || !operation.startsWith('auth.'));
