/** Bytes that pile up. Many small pieces cost no more than few large ones: the room for them doubles. */
export class Bytes {
  #room: Uint8Array | undefined;
  #length = 0;

  /** A first piece is kept as it is: most answers are one. */
  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (this.#room === undefined) this.#room = piece;
    else {
      if (length > this.#room.length) {
        const room = new Uint8Array(Math.max(length, 2 * this.#room.length));
        room.set(this.#room.subarray(0, this.#length));
        this.#room = room;
      }
      this.#room.set(piece, this.#length);
    }
    this.#length = length;
  }

  /** All of them. */
  get all(): Uint8Array {
    return this.#room?.subarray(0, this.#length) ?? new Uint8Array();
  }
}
