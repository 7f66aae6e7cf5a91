import { finalize, share, type Observable } from 'rxjs';
import type { Abilities } from '../../transport/abilities.js';
import { isLegacy, isSilentWatcher } from '../old/server-release.js';
import { pollLateMs } from './timing.js';

/**
 * What the headers of etcd's answers tell at each endpoint, and when; and whether what is passed on there piece by piece
 * comes in time. A proxy may hold pieces back until the answer ends: there only polls tell what happens, as they do.
 */
export class HeaderSupport {
  readonly #abilities: Abilities;
  readonly #version: (endpoint: string) => string | undefined;
  /** Their headers cannot be read: a proxy strips them, or the page is of another origin. */
  readonly #hidden = new Set<string>();
  /** Their polls have shown headers at once, where the platform alone does not make sure of it. */
  readonly #early = new Set<string>();
  /** Pieces have come late there: until when it is polled (`performance.now()`); behind that, a stream is on trial. */
  readonly #late = new Map<string, number>();
  /** When a stream last got its headers there. */
  readonly #begunAt = new Map<string, number>();
  readonly #asked = new Map<string, Observable<unknown>>();

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
    return !this.mayBeHeldBack(endpoint) && !isLegacy(this.#version(endpoint));
  }

  /** Whether the headers of a poll may be kept back until its event: by the platform, or by what is in between. */
  mayBeHeldBack(endpoint: string): boolean {
    return !this.#abilities.headersBeforeBody || this.#late.has(endpoint);
  }

  /** Whether a poll that shows none for a while has failed. */
  areDueAtOnce(endpoint: string): boolean {
    const early = !this.mayBeHeldBack(endpoint) || this.#early.has(endpoint);
    return early && !isSilentWatcher(this.#version(endpoint));
  }

  /** Whether what a stream brings can be read there as it comes. */
  letStreams(endpoint: string): boolean {
    return this.#abilities.liveStreams && performance.now() >= (this.#late.get(endpoint) ?? 0);
  }

  /** Whether a stream has to show there that it brings in time what a poll finds. */
  tryStreams(endpoint: string): boolean {
    return this.#late.has(endpoint);
  }

  /** The headers of a stream have come. */
  haveBegun(endpoint: string): void {
    this.#begunAt.set(endpoint, performance.now());
  }

  /** Whether those of any stream have come since that time. */
  haveBegunSince(endpoint: string, since: number): boolean {
    return (this.#begunAt.get(endpoint) ?? -Infinity) >= since;
  }

  /** What is asked of an endpoint by all whose headers are overdue there is asked once for all of them. */
  once$(endpoint: string, asked$: Observable<unknown>): Observable<unknown> {
    const known = this.#asked.get(endpoint);
    if (known !== undefined) return known;
    const shared$ = asked$.pipe(
      finalize(() => this.#asked.delete(endpoint)),
      share(),
    );
    this.#asked.set(endpoint, shared$);
    return shared$;
  }

  /** Headers are overdue, though the member answers. */
  areHeldBack(endpoint: string): void {
    this.#late.set(endpoint, performance.now() + pollLateMs);
  }

  /** A poll has found an event that a stream did not bring: the next stream is on trial, the one after it has failed. */
  eventsComeLate(endpoint: string): void {
    this.#late.set(endpoint, performance.now() + (this.#late.has(endpoint) ? pollLateMs : 0));
  }

  /** A stream has brought an event before a poll had to find it. */
  eventsComeInTime(endpoint: string): void {
    this.#late.delete(endpoint);
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
    this.#late.delete(endpoint);
    this.#begunAt.delete(endpoint);
  }
}
