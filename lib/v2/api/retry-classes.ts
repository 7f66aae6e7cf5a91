import type { RetryClass } from '../../cluster/retry-class.js';

/**
 * How each operation on keys may be repeated. Beside these tables `raw$` goes by its method, and a stale `get` is asked of
 * the leader. A `once` is sent again only when it provably never reached a member: repeated after an unknown outcome it could be applied twice, answer falsely
 * ("not found", "compare failed") or overwrite a later write.
 */
export const retryClasses = {
  get: 'read',
  quorumGet: 'quorum-read',
  set: 'set',
  create: 'once',
  update: 'once',
  refresh: 'once',
  createInOrder: 'once',
  delete: 'once',
  compareAndSwap: 'once',
  compareAndDelete: 'once',
  setDir: 'once',
  createDir: 'once',
  updateDir: 'once',
  createDirInOrder: 'once',
  deleteDir: 'once',
} as const satisfies Record<string, RetryClass>;

/** An operation of the keys API. */
export type KeysOperation = keyof typeof retryClasses;

interface ApiClass {
  readonly retryClass: RetryClass;
  /** Served to anyone: sent without credentials, whose check costs the server 60 ms. */
  readonly open: boolean;
}

const open = (retryClass: RetryClass): ApiClass => ({ retryClass, open: true });
const guarded = (retryClass: RetryClass): ApiClass => ({ retryClass, open: false });

/** The same for the operations beside the keys API. */
export const apiRetryClasses = {
  machines: open('read'),
  version: open('read'),
  health: open('read'),
  'members.list': open('leader-read'),
  'members.leader': open('quorum-read'),
  'members.add': guarded('once'),
  'members.update': guarded('once'),
  'members.remove': guarded('once'),
  'stats.leader': open('quorum-read'),
  'stats.self': open('read'),
  'stats.store': open('read'),
  'auth.status': open('leader-read'),
  'auth.enable': guarded('once'),
  'auth.disable': guarded('once'),
  'auth.users': guarded('leader-read'),
  'auth.user': guarded('leader-read'),
  /** Before a change that hangs on the answer: by the leader, who will make it. */
  'auth.look': guarded('quorum-read'),
  'auth.createUser': guarded('once'),
  'auth.updateUser': guarded('once'),
  'auth.deleteUser': guarded('once'),
  'auth.roles': guarded('leader-read'),
  'auth.role': guarded('leader-read'),
  'auth.createRole': guarded('once'),
  'auth.updateRole': guarded('once'),
  'auth.deleteRole': guarded('once'),
} as const satisfies Record<string, ApiClass>;

/** An operation beside the keys API. */
export type ApiOperation = keyof typeof apiRetryClasses;
