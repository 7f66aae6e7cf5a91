const messages = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  104: 'Not a directory',
  105: 'Key already exists',
  107: 'Root is read only',
  108: 'Directory not empty',
  110: 'The request requires user authentication',
  201: 'PrevValue is Required in POST form',
  202: 'The given TTL in POST form is not a number',
  203: 'The given index in POST form is not a number',
  209: 'Invalid field',
  210: 'Invalid POST form',
  211: 'Value provided on refresh',
  212: 'A TTL must be provided on refresh',
  300: 'Raft Internal Error',
  401: 'The event in requested index is outdated and cleared',
} as const;

/** The error codes of etcd 3.4 that it ever sends. */
export type StoreErrorCode = keyof typeof messages;

/** What etcd refuses, by its own error code. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  /**
   * @param reason etcd's `cause`
   * @param index the store's at that moment; 0 where the store was not asked
   */
  constructor(
    readonly errorCode: StoreErrorCode,
    readonly reason: string,
    readonly index = 0,
  ) {
    super(messages[errorCode]);
  }
}
