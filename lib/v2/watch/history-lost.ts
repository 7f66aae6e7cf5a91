/** Events between a watch's cursor and now can no longer be had; the state must be read afresh. */
export class HistoryLost extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'HistoryLost';
  }
}

/** The watch should go on at another member. */
export class MemberLeft extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'MemberLeft';
  }
}
