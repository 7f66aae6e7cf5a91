/** Pieces of one line are joined when there are so many. */
const maxPieces = 1_024;

/** Text in pieces, line by line. What is there of a line is looked at once, however many pieces it comes in. */
export class Lines {
  /** Of the line that has not ended; each of these is many pieces, or their end. */
  #blocks: string[] = [];
  #pieces: string[] = [];

  /** Whether there is a part of a line that has not ended. */
  get hasBegun(): boolean {
    return this.#pieces.length > 0 || this.#blocks.length > 0;
  }

  /** Takes a piece; returns the lines that it ends, without their ends. */
  add(piece: string): string[] {
    const [first = '', ...more] = piece.split('\n');
    this.#keep(first);
    if (more.length === 0) return [];
    const lines = [this.#take(), ...more];
    this.#keep(lines.pop() ?? '');
    return lines;
  }

  /** What there is of a line that has not ended. */
  get rest(): string {
    return [...this.#blocks, ...this.#pieces].join('');
  }

  #keep(piece: string): void {
    if (piece === '') return;
    this.#pieces.push(piece);
    if (this.#pieces.length < maxPieces) return;
    this.#blocks.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  #take(): string {
    const line = this.rest;
    this.#blocks = [];
    this.#pieces = [];
    return line;
  }
}
