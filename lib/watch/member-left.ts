/** The watch should go on at another member, or make a new leg at the same. */
export class MemberLeft extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'MemberLeft';
  }
}
