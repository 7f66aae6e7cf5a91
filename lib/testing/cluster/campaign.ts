import type { Replica } from './replica.js';

/** Members choose their own timeouts between one and two election timeouts; this is the middle. */
const usualWait = 1.5;

/**
 * A member that hears no leader. It holds on to the one it knew for an election timeout; then it stands for election again and
 * again, each time in a higher term, unless the others hear it (`heard`) and elect one among them.
 */
export class Campaign {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly replica: Replica,
    private readonly electionTimeout: number,
    private readonly heard: () => boolean,
  ) {}

  /** Nothing to do if it goes on already. */
  start(): void {
    this.#timer ??= this.#after(this.electionTimeout);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #stand(): void {
    const { replica } = this;
    // Who led does no more than step down at first.
    if (replica.leader !== replica && !this.heard()) replica.term += 1;
    replica.follow(undefined);
    this.#timer = this.#after(usualWait * this.electionTimeout);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#stand(), ms).unref();
  }
}
