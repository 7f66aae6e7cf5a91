/** A BroadcastChannel that takes its time, by the timers of the spec; what is said is counted. */
export class FakeChannel {
  static readonly open = new Set<FakeChannel>();
  static said = 0;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    FakeChannel.open.add(this);
  }

  postMessage(data: unknown): void {
    if (!FakeChannel.open.has(this)) return;
    FakeChannel.said += 1;
    const copy = structuredClone(data);
    for (const other of FakeChannel.open) {
      if (other === this || other.#name !== this.#name) continue;
      setTimeout(() => other.onmessage?.({ data: copy }), 5);
    }
  }

  /** What was said already still arrives elsewhere. */
  close(): void {
    FakeChannel.open.delete(this);
    this.onmessage = null;
  }
}
