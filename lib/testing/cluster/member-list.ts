import { randomBytes } from 'node:crypto';
import { MembershipError } from '../http/membership.js';
import type { MemberInfo, Membership } from '../http/membership.js';

/** What the list asks and tells of the cluster. */
export interface ListObserver {
  /** Whether all members that have ever run are there now. */
  isHealthy(): boolean;
  /** A member was added that does not run, or one was removed. */
  changed(removed?: MemberInfo): void;
}

/** Who belongs to the cluster. A member that is added here never runs: it only stands in the list, and is missed by the majority. */
export class MemberList implements Membership {
  readonly #members = new Map<string, MemberInfo>();
  readonly #removed = new Set<string>();

  constructor(
    members: readonly MemberInfo[],
    private readonly observer: ListObserver,
  ) {
    for (const member of members) this.#members.set(member.id, member);
  }

  /** In the order of their ids. */
  get all(): readonly MemberInfo[] {
    return [...this.#members.values()].sort((a, b) => (BigInt(`0x${a.id}`) < BigInt(`0x${b.id}`) ? -1 : 1));
  }

  /** How many have never run. */
  get absent(): number {
    return this.#members.size - this.#started();
  }

  add(peerURLs: readonly string[]): MemberInfo {
    const started = this.#started();
    const size = this.#members.size + 1;
    const grows = (started === 1 && size === 2) || started >= quorumOf(size);
    if (!grows || !this.observer.isHealthy()) throw unhealthy();
    this.#demandNew(peerURLs);
    const id = BigInt(`0x${randomBytes(8).toString('hex')}`).toString(16);
    const member = { id, name: '', peerURLs, clientURLs: [] };
    this.#members.set(id, member);
    this.observer.changed();
    return member;
  }

  update(id: string, peerURLs: readonly string[]): void {
    const member = this.#members.get(id);
    if (this.#removed.has(id)) throw unhealthy();
    if (member === undefined) throw new MembershipError(404, `No such member: ${id}`);
    this.#demandNew(peerURLs, id);
    this.#members.set(id, { ...member, peerURLs });
  }

  remove(id: string): void {
    if (this.#removed.has(id)) throw new MembershipError(410, `Member permanently removed: ${id}`);
    const member = this.#members.get(id);
    if (member === undefined) throw new MembershipError(404, `No such member: ${id}`);
    const started = this.#started() - (member.name === '' ? 0 : 1);
    if (started < quorumOf(this.#members.size - 1)) throw unhealthy();
    this.#members.delete(id);
    this.#removed.add(id);
    this.observer.changed(member);
  }

  #started(): number {
    return [...this.#members.values()].filter(({ name }) => name !== '').length;
  }

  #demandNew(peerURLs: readonly string[], except?: string): void {
    const others = [...this.#members.values()].filter(({ id }) => id !== except);
    if (others.some((other) => other.peerURLs.some((url) => peerURLs.includes(url))))
      throw new MembershipError(409, 'membership: peerURL exists');
  }
}

const quorumOf = (size: number): number => Math.floor(size / 2) + 1;
const unhealthy = (): MembershipError => new MembershipError(500, 'Internal Server Error');
