const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'no right to use the port',
  EADDRNOTAVAIL: 'no such address on this machine',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host',
};

/** A server could not listen where it should; the commonest `code` is `EADDRINUSE`, for a port that is taken. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** Node's, as `EADDRINUSE`. */
  readonly code: string;

  constructor(
    readonly host: string,
    readonly port: number,
    { code = 'UNKNOWN', message }: NodeJS.ErrnoException,
  ) {
    super(`cannot listen on ${host}:${port}: ${reasons[code] ?? message} (${code})`);
    this.code = code;
  }
}
