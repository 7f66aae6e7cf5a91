import type { Socket } from 'node:net';
import { Gate } from './gate.js';
import { resetSocket } from './reset-socket.js';

/** Which way is silent: what the client says, what the target says, or both. */
export type Way = 'toTarget' | 'toClient' | 'both';

/** One connection through a proxy: the half to the client and the half to the target. */
export class TcpLink {
  readonly client: Socket;
  readonly target: Socket;
  readonly #toTarget = new Gate(false);
  readonly #toClient = new Gate(false);
  #asked = '';
  #movedAt = performance.now();
  #isForgotten = false;

  /** @param answers stands before the client, behind the gate; default: nothing does */
  constructor(
    client: Socket,
    target: Socket,
    answers?: (fromTarget: NodeJS.ReadableStream) => NodeJS.ReadableStream,
  ) {
    this.client = client;
    this.target = target;
    client.on('data', (piece: Buffer) => {
      this.#movedAt = performance.now();
      this.#asked = /^[A-Z]+ \S+(?= HTTP\/)/.exec(piece.toString('latin1'))?.[0] ?? this.#asked;
    });
    target.on('data', () => (this.#movedAt = performance.now()));
    client.pipe(this.#toTarget).pipe(target);
    const held = target.pipe(this.#toClient);
    (answers?.(held) ?? held).pipe(client);
    // A reset of one side becomes a reset of the other, once the way there is open.
    client.on('error', () => this.#toTarget.whenOpen(() => this.reset()));
    target.on('error', () => this.#toClient.whenOpen(() => this.reset()));
  }

  /** What the client asked last, as `GET /v2/keys/a?wait=true`; empty before it has asked. */
  get asked(): string {
    return this.#asked;
  }

  /** Nothing came from either side for so long, ms. */
  get idleMs(): number {
    return performance.now() - this.#movedAt;
  }

  /** Whether both halves are gone. */
  get isClosed(): boolean {
    return this.client.closed && this.target.closed;
  }

  /** Whether nothing of it will ever pass again. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** Holds back all that comes that way, an end as well; opens the other way. Undefined: nothing is held. */
  hold(way: Way | undefined): void {
    if (this.#isForgotten) return;
    set(this.#toTarget, way === 'both' || way === 'toTarget');
    set(this.#toClient, way === 'both' || way === 'toClient');
  }

  /** What it says from now on vanishes, both ways, and nobody is told: a firewall that has forgotten it. */
  forget(): void {
    this.hold('both');
    this.#isForgotten = true;
  }

  /** Ends both halves by FIN, in the middle of whatever passes. */
  finish(): void {
    this.#toTarget.unpipe();
    this.#toClient.unpipe();
    this.client.destroySoon();
    this.target.destroySoon();
  }

  /** Ends both halves by RST. */
  reset(): void {
    resetSocket(this.client);
    resetSocket(this.target);
  }
}

function set(gate: Gate, shut: boolean): void {
  if (shut) gate.shut();
  else gate.open();
}
