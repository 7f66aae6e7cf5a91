/** What a run has seen. */
export class Account {
  /** The places of acknowledged writes: their revisions, or indexes. */
  readonly acknowledged: number[] = [];
  /** The places of events, as they came. */
  readonly seen: number[] = [];
  /** Writes of which nobody knows whether they were done. */
  unknown = 0;
  /** Between a kill and the next leader, ms. */
  readonly interregna: number[] = [];

  get missed(): number {
    const seen = new Set(this.seen);
    return this.acknowledged.filter((place) => !seen.has(place)).length;
  }

  /** The promises: what each says, and whether it was kept. */
  get promises(): [text: string, kept: boolean][] {
    const { acknowledged, seen, unknown, missed, interregna } = this;
    const inOrder = seen.every((place, i) => i === 0 || place > seen[i - 1]!);
    return [
      [`${acknowledged.length} writes acknowledged, ${unknown} of unknown outcome`, acknowledged.length > 0],
      [`${seen.length} events, ${missed === 0 ? 'none' : missed} of the acknowledged missed`, missed === 0],
      [`each event once, in order`, inOrder],
      ...interregna.map((ms): [string, boolean] => [
        `a new leader was named ${(ms / 1_000).toFixed(2)} s after the kill`,
        true,
      ]),
    ];
  }
}
