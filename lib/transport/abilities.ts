/** What a platform's connections can do; plain data. */
export interface Abilities {
  /** Many answers can be kept open and read as they come. */
  readonly liveStreams: boolean;
  /** A request may go on while its answer is read. */
  readonly openBodies: boolean;
  /** The headers of an answer are there before its body. */
  readonly headersBeforeBody: boolean;
  /** Connections to one host and port, those of other pages included. */
  readonly connectionsPerHost: number;
}

export const nodeAbilities: Abilities = {
  liveStreams: true,
  openBodies: true,
  headersBeforeBody: true,
  connectionsPerHost: Infinity,
};

/** Firefox shows no headers before the first byte of the body; HTTP/1.1 has six connections for all pages. */
export const browserAbilities: Abilities = {
  liveStreams: false,
  openBodies: false,
  headersBeforeBody: false,
  connectionsPerHost: 6,
};
