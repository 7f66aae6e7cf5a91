/** Spaces out what many would otherwise do at once. */
export class Pace {
  readonly #gap: number;
  #nextSlot = 0;

  /** @param perSecond how many may go in one second */
  constructor(perSecond: number) {
    this.#gap = 1_000 / perSecond;
  }

  /** Takes the next free slot; returns how long it is away, in milliseconds. */
  delay(now = performance.now()): number {
    const slot = Math.max(now, this.#nextSlot);
    this.#nextSlot = slot + this.#gap;
    return slot - now;
  }
}
