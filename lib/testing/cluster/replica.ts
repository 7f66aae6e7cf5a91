import { BehaviorSubject } from 'rxjs';
import type { Clock } from '../store/clock.js';
import { Store } from '../store/store.js';
import type { StoreEvent } from '../store/store-event.js';
import type { Entry } from './change-log.js';

/**
 * - `running`: answers, and hears the others
 * - `partitioned`: answers, but neither hears nor reaches any other member
 * - `frozen`: takes connections and says nothing, as a stopped process
 * - `dead`: refuses connections
 */
export type MemberState = 'running' | 'partitioned' | 'frozen' | 'dead';

/** A member's copy of the store, and what it knows of the cluster. */
export class Replica {
  readonly store: Store;
  state: MemberState = 'running';
  /** The latest entry that is done here, and the term that it was made in. */
  raftIndex = 0;
  raftTerm = 0;
  /** The latest election that it knows of. */
  term = 0;
  /** In ns since 1970. */
  leaderSince = 0n;
  readonly #clock: Clock;
  readonly #leader$ = new BehaviorSubject<Replica | undefined>(undefined);

  /** @param name the member's */
  constructor(
    readonly name: string,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.store = new Store({ clock, namespaces: ['/0', '/1'] });
  }

  /** The one that it holds for the leader, rightly or not; undefined during an election. */
  readonly leader$ = this.#leader$.asObservable();

  get leader(): Replica | undefined {
    return this.#leader$.value;
  }

  /** Whether it answers its clients. */
  get answers(): boolean {
    return this.state === 'running' || this.state === 'partitioned';
  }

  follow(leader: Replica | undefined): void {
    if (leader === this.leader) return;
    this.leaderSince = this.#clock.now();
    this.#leader$.next(leader);
  }

  /** Does what it missed; what comes of the last entry is returned or thrown. */
  catchUp(missed: readonly Entry[]): StoreEvent | undefined {
    for (const entry of missed.slice(0, -1)) this.#tryToDo(entry);
    const last = missed.at(-1);
    return last && this.#do(last);
  }

  #do({ index, term, change }: Entry): StoreEvent | undefined {
    this.raftIndex = index;
    this.raftTerm = term;
    return change(this.store);
  }

  #tryToDo(entry: Entry): void {
    try {
      this.#do(entry);
    } catch {
      // Refused by the store, here as on every other member.
    }
  }
}
