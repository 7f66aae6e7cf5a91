import type { EventBus } from '../insight/events.js';
import type { Roster } from './roster.js';

/** Tells on `events$`, once, what a user should know of servers and their word, and again when it has changed. */
export class Notices {
  readonly #events: EventBus;
  /** Why each of these endpoints cannot serve the client, as it was told. */
  readonly #unsupported = new Map<string, string>();
  #ignored = '';

  constructor(events: EventBus) {
    this.#events = events;
  }

  report(roster: Roster): void {
    // Told once somebody listens.
    if (!this.#events.observed) return;
    this.#reportUnsupported(roster);
    this.#reportIgnored(roster);
  }

  #reportUnsupported(roster: Roster): void {
    for (const url of this.#unsupported.keys())
      if (roster.endpoint(url)?.unsupported === undefined) this.#unsupported.delete(url);
    for (const { url, unsupported, version } of roster.endpoints) {
      if (unsupported === undefined || this.#unsupported.get(url) === unsupported) continue;
      this.#unsupported.set(url, unsupported);
      this.#events.emit(() => ({ type: 'no-v2-api', endpoint: url, version }));
    }
  }

  #reportIgnored({ ignored }: Roster): void {
    if (ignored === this.#ignored) return;
    this.#ignored = ignored;
    if (ignored !== '') this.#events.emit(() => ({ type: 'member-list-cut', ignored }));
  }
}
