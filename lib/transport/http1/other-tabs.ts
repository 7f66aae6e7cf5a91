/** A leg of a watch at an endpoint where connections are scarce: it polls there, or waits for its turn. */
export interface Turn {
  /** When it began to poll, or to wait: by the clock that all tabs share, ms. */
  readonly since: number;
  readonly running: boolean;
}

/** The other tabs of an origin, and the other clients in this one: they share a browser's connections. */
export interface OtherTabs {
  /** Their turns at an endpoint. */
  turns(endpoint: string): readonly Turn[];
  /** Tells them of the own turns there. */
  tell(endpoint: string, own: readonly Turn[]): void;
  /** Has them tell of theirs; those who do not answer until it is asked again are gone. */
  ask(endpoint: string): void;
  /** Calls back when another tab tells of its turns, or asks. */
  listen(listener: (endpoint: string, asked: boolean) => void): void;
}
