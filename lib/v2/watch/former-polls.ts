import { Subscription } from 'rxjs';
import { withKey } from '../api/with-key.js';
import type { EtcdNode } from '../model/model.js';
import { HistoryLost } from './history-lost.js';
import type { LegSite } from './leg-site.js';
import { matches } from './matches.js';
import { indexOf, type Found } from './poll.js';
import { readState$, type State } from './read-state.js';
import { checkGapMs, formerMs } from './timing.js';

/** A poll that goes on after its successor has relieved it. */
export interface Former {
  /** Where it asked from. */
  readonly from: number;
  stop(): void;
}

/** Hears what is left of such polls: an event, or that one has been lost. */
export type Late = (what: Found | HistoryLost) => void;

interface Entry {
  readonly former: Former;
  /** Up to where its silence was believed. */
  readonly to: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Polls at the most that a watch keeps so. */
const most = 2;

/**
 * The polls that were silent when the position passed on, and what is doubted since. An event that one of them brings late is told
 * if nothing above it was, else it is lost. Of what no poll waits for any more the state is asked.
 */
export class FormerPolls {
  /** Open as long as there is something to wait for. */
  readonly lasts = new Subscription(() => {
    for (const { former, timer } of this.#entries.splice(0)) {
      clearTimeout(timer);
      former.stop();
    }
    clearTimeout(this.#due);
  });
  readonly #site: LegSite;
  readonly #entries: Entry[] = [];
  #late: Late | undefined;
  #untold: Found | HistoryLost | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(site: LegSite) {
    this.#site = site;
  }

  /** The leg that is to hear of it from now on, until it says otherwise. */
  listen(late: Late): () => void {
    this.#late = late;
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold !== undefined) late(untold);
    return () => {
      if (this.#late === late) this.#late = undefined;
    };
  }

  add(former: Former, to: number): void {
    const timer = setTimeout(() => {
      this.#site.position.settle(former.from, to);
      this.#remove(former);
      this.#endIfDone();
    }, formerMs);
    this.#entries.push({ former, to, timer });
    const [oldest] = this.#entries;
    if (oldest !== undefined && this.#entries.length > most) this.ended(oldest.former);
  }

  /** That poll waits no more: what of its stretch was not told, only the state can say. */
  ended(former: Former): void {
    this.#remove(former);
    this.check();
  }

  /** That poll was answered. */
  found(former: Former, found: Found): void {
    const { position, target } = this.#site;
    const index = indexOf(found);
    this.#remove(former);
    // Of what it was asked for, this is the first.
    position.settle(former.from, index);
    const { body } = found;
    if (!matches(target.key, target.recursive, body.action, withKey(body.node ?? { key: target.key }))) {
      this.check();
    } else if (position.isNew(index) || position.isDoubted(index)) this.#tell(found);
    else this.#endIfDone();
  }

  /** Asks the state whether anything that was passed has happened, as soon as that may be asked again. */
  check(): void {
    if (this.#due !== undefined || !this.#isOwed) return;
    const { position, context } = this.#site;
    const now = performance.now();
    const wait = Math.max(0, position.checkedAt + checkGapMs - now) + context.pace.delay(now);
    this.#due = setTimeout(() => {
      this.#due = undefined;
      if (!this.#isOwed) return;
      position.checkedAt = performance.now();
      const done = (): void => {
        this.check();
        this.#endIfDone();
      };
      this.lasts.add(
        readState$(this.#site).subscribe({
          next: (state) => {
            this.#judge(state);
          },
          error: done,
          complete: done,
        }),
      );
    }, wait);
  }

  #judge({ node, index }: State): void {
    const { position } = this.#site;
    if (changedIn(node, (changed) => position.isDoubted(changed))) {
      this.#tell(new HistoryLost('cleared'));
      return;
    }
    for (const { from, to } of position.doubts)
      if (to <= index + 1 && !this.#isAwaited(from)) position.settle(from, to);
  }

  /** Whether a poll still waits for what is doubted there. */
  #isAwaited(index: number): boolean {
    return this.#entries.some(({ former, to }) => former.from <= index && index < to);
  }

  get #isOwed(): boolean {
    return this.#site.position.doubts.some(({ from }) => !this.#isAwaited(from));
  }

  #tell(what: Found | HistoryLost): void {
    if (this.#late === undefined) this.#untold = what;
    else this.#late(what);
  }

  #remove(former: Former): void {
    const at = this.#entries.findIndex((entry) => entry.former === former);
    const [entry] = at < 0 ? [] : this.#entries.splice(at, 1);
    clearTimeout(entry?.timer);
    former.stop();
  }

  #endIfDone(): void {
    const isDone = this.#entries.length === 0 && this.#untold === undefined && !this.#isOwed;
    if (isDone) this.lasts.unsubscribe();
  }
}

/** Whether a state holds a change of such an index. */
function changedIn({ modifiedIndex = 0, nodes = [] }: EtcdNode, wanted: (index: number) => boolean): boolean {
  return wanted(modifiedIndex) || nodes.some((node) => changedIn(node, wanted));
}

/** Those of a watch, made if there are none. */
export function formerOf(site: LegSite): FormerPolls {
  const { position, stay } = site;
  if (position.former !== undefined) return position.former;
  const former = new FormerPolls(site);
  former.lasts.add(() => {
    position.former = undefined;
  });
  stay.add(former.lasts);
  position.former = former;
  return former;
}
