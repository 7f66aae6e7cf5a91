import { forkJoin, map, type Observable } from 'rxjs';
import { startPeerProxy, type PeerProxy } from './peer-proxy.js';

/** The connections of one member with all others, both ways. */
export interface PeerLink {
  readonly isCut: boolean;
  /** Resets those that are open and refuses new ones, until `join`. */
  cut(): void;
  join(): void;
}

/** Starts a proxy in front of each member's peer URL; they live until `close$`. */
export function startPeerNetwork(listenUrls: readonly string[]): Observable<PeerNetwork> {
  const cut = new Set<string>();
  // A connection without a sender (a member asks for versions, say) is nobody's: it goes while anything is cut.
  const isCut = (from: string | undefined, to: string) =>
    cut.has(to) || (from === undefined ? cut.size > 0 : cut.has(from));
  return forkJoin(listenUrls.map((url) => startPeerProxy(url, isCut))).pipe(
    map((proxies) => new PeerNetwork(proxies, cut)),
  );
}

/** What members talk to each other over, so that any of them can be cut off from the others while its clients reach it. */
export class PeerNetwork {
  readonly #proxies: readonly PeerProxy[];
  readonly #cut: Set<string>;

  /** @internal Use `startPeerNetwork`. */
  constructor(proxies: readonly PeerProxy[], cut: Set<string>) {
    this.#proxies = proxies;
    this.#cut = cut;
  }

  /** What the members have to call each other by, in the same order. */
  get urls(): string[] {
    return this.#proxies.map(({ url }) => url);
  }

  link(index: number): PeerLink {
    const { url } = this.#proxies[index]!;
    const cut = this.#cut;
    const proxies = this.#proxies;
    return {
      get isCut() {
        return cut.has(url);
      },
      cut() {
        cut.add(url);
        proxies.forEach((proxy) => proxy.dropCut());
      },
      join() {
        cut.delete(url);
      },
    };
  }

  /** `close$` without waiting. */
  abandon(): void {
    this.#proxies.forEach((proxy) => proxy.abandon());
  }

  close$(): Observable<void> {
    return forkJoin(this.#proxies.map((proxy) => proxy.close$())).pipe(map(() => undefined));
  }
}
