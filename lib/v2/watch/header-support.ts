import type { Abilities } from '../../transport/abilities.js';
import { isLegacy, isSilentWatcher } from '../old/server-release.js';

/** What the headers of etcd's answers tell at each endpoint, and when. */
export class HeaderSupport {
  readonly #abilities: Abilities;
  readonly #version: (endpoint: string) => string | undefined;
  /** Their headers cannot be read: a proxy strips them, or the page is of another origin. */
  readonly #hidden = new Set<string>();
  /** Their polls have shown headers at once, where the platform alone does not make sure of it. */
  readonly #early = new Set<string>();

  /** @param version the release of the server at an endpoint, if it is known */
  constructor(abilities: Abilities, version: (endpoint: string) => string | undefined) {
    this.#abilities = abilities;
    this.#version = version;
  }

  /** An answer had no index. */
  hides(endpoint: string): void {
    this.#hidden.add(endpoint);
  }

  /** Whether etcd's headers cannot be read there. */
  areHidden(endpoint: string): boolean {
    return this.#hidden.has(endpoint);
  }

  /** Whether headers say where a watch without a start begins. */
  tellStart(endpoint: string): boolean {
    return !isLegacy(this.#version(endpoint)) && !this.#hidden.has(endpoint);
  }

  /** Whether headers are sure to come before the event that a poll waits for. */
  precedeEvents(endpoint: string): boolean {
    return this.#abilities.headersBeforeBody && !isLegacy(this.#version(endpoint));
  }

  /** Whether a poll that shows none for a while has failed. */
  areDueAtOnce(endpoint: string): boolean {
    const early = this.#abilities.headersBeforeBody || this.#early.has(endpoint);
    return early && !isSilentWatcher(this.#version(endpoint));
  }

  /** A poll has shown its headers at once: so shall others. */
  cameAtOnce(endpoint: string): void {
    this.#early.add(endpoint);
  }

  /** A poll has failed: its endpoint has to show anew that it shows them at once. */
  mayComeLate(endpoint: string): void {
    this.#early.delete(endpoint);
  }

  /** The endpoint is none any more. */
  forget(endpoint: string): void {
    this.#hidden.delete(endpoint);
    this.#early.delete(endpoint);
  }
}
