import type { RetryClass } from '../cluster/call.js';

/**
 * How each operation may be repeated; the one place where that is decided. A `once` is sent again only when it
 * provably never reached a member: repeated after an unknown outcome it could be applied twice, answer falsely
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
} as const satisfies Record<string, RetryClass>;

/** An operation of the keys API. */
export type KeysOperation = keyof typeof retryClasses;
