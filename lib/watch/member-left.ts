/** The watch should go on at another member, or make a new leg at the same. */
export class MemberLeft extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'MemberLeft';
  }
}

/** A member has given a state from before what the watch was told. */
export const stateTooOld = (): MemberLeft => new MemberLeft('its state is older than what was seen');
