import type { ClientEvent, EventBus, WithoutTime } from '../insight/events.js';
import type { EndpointTable } from './endpoint-table.js';

/** Tells on `events$`, once, what a user should know of servers and their word, and again when it has changed. */
export class Notices {
  readonly #events: EventBus;
  /** What is told of an endpoint that cannot serve the client; its API has a word for that. */
  unsupported: ((url: string, version: string | undefined) => WithoutTime<ClientEvent>) | undefined;
  /** Why each of these endpoints cannot serve the client, as it was told. */
  readonly #told = new Map<string, string>();
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
    for (const url of this.#told.keys())
      if (table.endpoint(url)?.unsupported === undefined) this.#told.delete(url);
    for (const { url, unsupported, version } of table.endpoints) {
      if (unsupported === undefined || this.#told.get(url) === unsupported) continue;
      this.#told.set(url, unsupported);
      const event = this.unsupported?.(url, version);
      if (event !== undefined) this.#events.emit(() => event);
    }
  }

  #reportIgnored({ ignored }: EndpointTable): void {
    if (ignored === this.#ignored) return;
    this.#ignored = ignored;
    if (ignored !== '') this.#events.emit(() => ({ type: 'member-list-cut', ignored }));
  }
}
