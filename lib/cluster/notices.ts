import type { EventBus } from '../insight/events.js';
import type { EndpointTable } from './endpoint-table.js';

/** Tells on `events$`, once, what a user should know of servers and their word, and again when it has changed. */
export class Notices {
  readonly #events: EventBus;
  /** Why each of these endpoints cannot serve the client, as it was told. */
  readonly #unsupported = new Map<string, string>();
  #ignored = '';

  constructor(events: EventBus) {
    this.#events = events;
  }

  report(table: EndpointTable): void {
    // Told once somebody listens.
    if (!this.#events.observed) return;
    this.#reportUnsupported(table);
    this.#reportIgnored(table);
  }

  #reportUnsupported(table: EndpointTable): void {
    for (const url of this.#unsupported.keys())
      if (table.endpoint(url)?.unsupported === undefined) this.#unsupported.delete(url);
    for (const { url, unsupported, version } of table.endpoints) {
      if (unsupported === undefined || this.#unsupported.get(url) === unsupported) continue;
      this.#unsupported.set(url, unsupported);
      this.#events.emit(() => ({ type: 'no-v2-api', endpoint: url, version }));
    }
  }

  #reportIgnored({ ignored }: EndpointTable): void {
    if (ignored === this.#ignored) return;
    this.#ignored = ignored;
    if (ignored !== '') this.#events.emit(() => ({ type: 'member-list-cut', ignored }));
  }
}
