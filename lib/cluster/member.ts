import { oneLine } from '../util/one-line.js';
import { sameList } from '../util/same-list.js';

/** What a member list says of a member. */
export interface MemberInfo {
  /** The member's id in hexadecimal, as etcd prints it; empty while it is not known. */
  readonly id: string;
  /** The member's name; empty before it has started. */
  readonly name: string;
  readonly clientURLs: readonly string[];
  readonly peerURLs: readonly string[];
  /** It follows the others to become one of them: it has no vote, and serves next to nothing. Absent for all others. */
  readonly isLearner?: boolean;
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
  /** It follows the others to become one of them: it has no vote, and is asked for nothing. Absent for all others. */
  readonly isLearner?: boolean;
  /** Why it cannot serve this client, though it answers: its server lacks the API. Absent for all others. */
  readonly unsupported?: string;

  constructor(info: MemberInfo, status: MemberStatus, isLeader: boolean, unsupported?: string) {
    this.id = info.id;
    this.name = info.name;
    this.clientURLs = info.clientURLs;
    this.peerURLs = info.peerURLs;
    this.status = status;
    this.isLeader = isLeader;
    if (info.isLearner === true) this.isLearner = true;
    if (unsupported !== undefined) this.unsupported = unsupported;
  }

  /** One readable line. */
  toString(): string {
    const name = this.name === '' ? this.id || '(not identified)' : this.name;
    const role = this.isLeader ? 'leader' : this.isLearner === true ? 'learner' : '';
    const notes = [role, this.status, this.unsupported ?? ''].filter((x) => x !== '');
    return oneLine(`Member ${name} (${notes.join(', ')}) ${this.clientURLs.join(' ')}`).trimEnd();
  }

  /** The same line. */
  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** True when two lists of members say the same. */
export const sameMembers = (a: readonly Member[], b: readonly Member[]): boolean =>
  a.length === b.length && a.every((member, i) => isSame(member, b[i]));

const isSame = (a: Member, b: Member | undefined): boolean =>
  a.id === b?.id &&
  a.name === b.name &&
  a.status === b.status &&
  a.isLeader === b.isLeader &&
  a.isLearner === b.isLearner &&
  a.unsupported === b.unsupported &&
  sameList(a.clientURLs, b.clientURLs) &&
  sameList(a.peerURLs, b.peerURLs);
