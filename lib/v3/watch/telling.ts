import { HistoryLost } from '../../watch/history-lost.js';
import { progress, type Batch } from '../../watch/leg-item.js';
import type { ChangeEvent } from '../model/watch-event.js';
import { batchOf, byRevision, isSameChange, revisionOf, type Change } from './changes.js';
import type { WatchPosition } from './watch-position.js';
import { noWatch, type WatchMessage } from './watch-stream.js';

/**
 * What a member tells of one watch once it stands: whole revisions, in order, each once. A watch is resumed one revision
 * before its position, and what it was told of that is told again; that is not passed on, but if it is anything else the
 * store has another history.
 */
export class Telling {
  readonly #position: WatchPosition;
  /** What must be told first. */
  #due: Change | undefined;
  /** Changes of a revision that goes on in the next message. */
  #held: readonly Change[] = [];

  /** @param isResumed what was told before is told again */
  constructor(position: WatchPosition, isResumed: boolean) {
    this.#position = position;
    this.#due = isResumed ? position.mark : undefined;
  }

  /** What was told before has been told again, if it had to be. */
  get isProven(): boolean {
    return this.#due === undefined;
  }

  /**
   * What to emit of a message, one revision after the other: whoever takes it moves the position before the next is looked
   * at.
   *
   * @param ordered progress that was requested is told behind all that happened before
   */
  *read(message: WatchMessage, ordered: boolean): Generator<Batch<ChangeEvent>> {
    const { events, fragment, header, watch_id: id } = message;
    if (events.length === 0) {
      if (fragment || this.#held.length > 0 || (id === noWatch && !ordered)) return;
      this.#prove(undefined);
      yield progress((header?.revision ?? 0) + 1);
      return;
    }
    const lists = byRevision([...this.#held, ...events]);
    this.#held = fragment ? (lists.at(-1) ?? []) : [];
    for (const changes of fragment ? lists.slice(0, -1) : lists) {
      const [first] = changes;
      if (first === undefined) continue;
      this.#prove(first);
      if (revisionOf(first) < (this.#position.next ?? 0)) continue;
      this.#position.tells(first);
      yield batchOf(changes);
    }
  }

  /** @param first what comes first; undefined: nothing has come up to now */
  #prove(first: Change | undefined): void {
    const due = this.#due;
    if (due === undefined) return;
    if (first !== undefined && revisionOf(first) < revisionOf(due)) return;
    if (first === undefined || !isSameChange(due, first))
      throw new HistoryLost('restored', 'the store has another history');
    this.#due = undefined;
  }
}
