/** A member as `/v2/members` lists it. */
export interface MemberInfo {
  readonly id: string;
  /** Empty until it has started for the first time. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
}

/** How the list of members may be changed; each throws `MembershipError`. */
export interface Membership {
  add(peerURLs: readonly string[]): MemberInfo;
  update(id: string, peerURLs: readonly string[]): void;
  remove(id: string): void;
}

/** A list of members that cannot be; `message` is etcd's. */
export class MembershipError extends Error {
  override readonly name = 'MembershipError';

  /** @param status of the HTTP answer */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
