/** What a member list says of a member. */
export interface MemberInfo {
  /** The member's id in hexadecimal, as etcd prints it; empty while it is not known. */
  readonly id: string;
  /** The member's name; empty before it has started. */
  readonly name: string;
  readonly clientURLs: readonly string[];
  readonly peerURLs: readonly string[];
}

/** `unknown`: it was never reached; or, in a browser, it does not answer in time, which there says little. */
export type MemberStatus = 'running' | 'down' | 'unknown';

/** One member of the cluster as this client sees it. Prints as `Member node3 (leader, running) http://...`. */
export class Member implements MemberInfo {
  readonly id: string;
  readonly name: string;
  readonly clientURLs: readonly string[];
  readonly peerURLs: readonly string[];
  readonly status: MemberStatus;
  readonly isLeader: boolean;

  constructor(info: MemberInfo, status: MemberStatus, isLeader: boolean) {
    this.id = info.id;
    this.name = info.name;
    this.clientURLs = info.clientURLs;
    this.peerURLs = info.peerURLs;
    this.status = status;
    this.isLeader = isLeader;
  }

  /** One readable line. */
  toString(): string {
    const name = this.name === '' ? this.id || '(not identified)' : this.name;
    return `Member ${name} (${this.isLeader ? 'leader, ' : ''}${this.status}) ${this.clientURLs.join(' ')}`.trimEnd();
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
