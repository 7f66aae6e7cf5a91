/** A leg of a watch at an endpoint where connections are scarce: it polls there, or waits for its slot. */
export interface Slot {
  /** When it began to poll, or to wait: by the clock that all tabs share, ms. */
  readonly since: number;
  readonly running: boolean;
}

/** The other tabs of an origin, and the other clients in this one: they share a browser's connections. */
export interface OtherTabs {
  /** Their slots at an endpoint. */
  slots(endpoint: string): readonly Slot[];
  /** Tells them of the own slots there. */
  tell(endpoint: string, own: readonly Slot[]): void;
  /** Has them tell of theirs; those who do not answer until it is asked again are gone. */
  ask(endpoint: string): void;
  /** Calls back when another tab tells of its slots, or asks. */
  listen(listener: (endpoint: string, asked: boolean) => void): void;
}
