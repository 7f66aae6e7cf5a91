/**
 * How a call may be repeated. `read`: by any member, freely. `leader-read`: the same, but by the leader where one is
 * named. `quorum-read`: by the leader, freely. `once`: a write, sent again only if it provably never reached a member.
 * `idempotent`: as `once`, unless the user chose that these may be (`writes`).
 */
export type RetryClass = 'read' | 'leader-read' | 'quorum-read' | 'once' | 'idempotent';

/** Whether any member can serve the call. */
export const anyMember = (retryClass: RetryClass): boolean =>
  retryClass === 'read' || retryClass === 'leader-read';
