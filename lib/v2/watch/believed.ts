import { concatMap, defer, EMPTY, expand, filter, first, map, of, tap, timeout, type Observable } from 'rxjs';
import { MemberLeft } from '../../watch/member-left.js';
import type { ResponseInfo } from '../model/model.js';
import type { LegSite } from './leg-site.js';
import { isWanted } from './matches.js';
import { maySkip, skipped } from './may-skip.js';
import { isFound } from './catch-up.js';
import { indexOf, poll$ } from './poll.js';
import type { StreamEvent } from './stream.js';

/**
 * Lets the events of a stream pass, each once nothing can be missing before it: where its member may have skipped some, the
 * member's history is asked for the first event from the position on. It costs a poll for each event of a follower that
 * changes to other keys come before, and nothing at a leader.
 */
export class Believed {
  readonly #site: LegSite;
  /** What the member said when it was asked last; before that, the stream's own headers. */
  #since: ResponseInfo | undefined;

  constructor(site: LegSite) {
    this.#site = site;
  }

  /** The events, in order; whoever takes them moves the position before the next is looked at. */
  pass$(events: readonly StreamEvent[]): Observable<StreamEvent> | readonly StreamEvent[] {
    // All, or none: a leader needs no chain of operators.
    return events.some((event) => this.#isDoubtful(event))
      ? of(...events).pipe(
          concatMap((event) => (this.#isDoubtful(event) ? this.#checked$(event) : of(event))),
        )
      : events;
  }

  #isDoubtful(event: StreamEvent): boolean {
    return maySkip(this.#site, event, this.#since ?? event.info);
  }

  #checked$(event: StreamEvent): Observable<StreamEvent> {
    const { context, position, target } = this.#site;
    return defer(() => poll$(this.#site, position.next)).pipe(
      // What a stream leaves out, as hidden keys, only a history holds.
      expand((part) =>
        isFound(part) && !isWanted(target, part.body) ? poll$(this.#site, indexOf(part) + 1) : EMPTY,
      ),
      tap((part) => {
        if (part.type === 'registered') this.#since = part.info;
      }),
      filter(isFound),
      first(({ body }) => isWanted(target, body)),
      timeout({
        each: context.settings.timeout,
        with: () => {
          throw new MemberLeft('its history does not have what it told');
        },
      }),
      map((found) => {
        if (indexOf(found) < indexOf(event)) throw skipped();
        return event;
      }),
    );
  }
}
