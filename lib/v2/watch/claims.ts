import type { LegSite } from './leg-site.js';
import type { PollPart } from './poll-part.js';
import { proofDelayMs } from './timing.js';

/** Claims kept beside the latest. */
const mostClaims = 3;

/** A claim that nothing matches up to an index, waiting for its proof. */
interface Claim {
  readonly endpoint: string;
  readonly index: number;
  readonly at: number;
}

/**
 * What the headers of silent polls say: that nothing matches up to an index. Silence alone proves nothing, as an event can
 * be cut off behind its headers: a claim is proven once the same member has answered a request sent at least 1 s after
 * those headers, and nothing to it has failed since.
 */
export class Claims {
  /** The latest index that a member told beside the polls, and when. */
  #told: Claim | undefined;
  /** In order of time; a later claim does not make an earlier one void. */
  #claims: readonly Claim[] = [];

  /** A poll on that endpoint got its headers: nothing matches up to that index, if it stays silent. */
  claim(endpoint: string, index: number, at: number): void {
    const others = this.#claims.filter((claim) => claim.endpoint === endpoint);
    this.#claims = [...others.slice(-mostClaims), { endpoint, index, at }];
  }

  /** That endpoint told its store's index, in answer to another request. */
  told(endpoint: string, index: number, at: number): void {
    this.#told = { endpoint, index, at };
  }

  /**
   * Up to where a poll looked that was sent at that time, when its own headers cannot be read: to what its endpoint had
   * told before.
   */
  toldBefore(endpoint: string, sentAt: number): number | undefined {
    const told = this.#told;
    return told?.endpoint === endpoint && told.at <= sentAt ? told.index : undefined;
  }

  /** That endpoint answered a request sent at that time: up to where this proves that nothing matches. */
  proven(endpoint: string, sentAt: number): number | undefined {
    const proven = this.#claims
      .filter((c) => c.endpoint === endpoint && sentAt >= c.at + proofDelayMs)
      .at(-1);
    if (proven !== undefined) this.#claims = this.#claims.filter((claim) => claim.at > proven.at);
    return proven?.index;
  }

  /** Claims without proof are void. */
  doubt(): void {
    this.#claims = [];
  }

  /** The store is another one: nothing that was told holds. */
  clear(): void {
    this.#claims = [];
    this.#told = undefined;
  }
}

/** Lets a poll from the position claim what its headers say, as long as it is silent. */
export function claimsOf({ position, endpoint }: LegSite): (part: PollPart) => void {
  return (part) => {
    const { claims } = position;
    if (part.type === 'arriving') claims.doubt();
    if (part.type !== 'registered') return;
    position.witness(endpoint, part.sentAt);
    const index = part.info.etcdIndex ?? claims.toldBefore(endpoint, part.sentAt);
    if (index !== undefined) claims.claim(endpoint, index, performance.now());
  };
}
