import type { StoreNode } from './node.js';

/**
 * The nodes that expire, the next one on top. Nodes of the same instant come out as they do from etcd's binary heap, so it is
 * built, mended and emptied in the same steps.
 */
export class ExpiryHeap {
  readonly #nodes: StoreNode[] = [];

  get top(): StoreNode | undefined {
    return this.#nodes[0];
  }

  get isEmpty(): boolean {
    return this.#nodes.length === 0;
  }

  push(node: StoreNode): void {
    node.heapIndex = this.#nodes.push(node) - 1;
    this.#up(node.heapIndex);
  }

  /** After its time has changed. */
  update(node: StoreNode): void {
    if (!this.#down(node.heapIndex, this.#nodes.length)) this.#up(node.heapIndex);
  }

  remove(node: StoreNode): void {
    const { heapIndex } = node;
    if (heapIndex < 0) return;
    const last = this.#nodes.length - 1;
    if (heapIndex !== last) {
      this.#swap(heapIndex, last);
      if (!this.#down(heapIndex, last)) this.#up(heapIndex);
    }
    this.#nodes.pop();
    node.heapIndex = -1;
  }

  #up(from: number): void {
    for (let i = from; i > 0;) {
      const above = (i - 1) >> 1;
      if (!this.#isBefore(i, above)) return;
      this.#swap(i, above);
      i = above;
    }
  }

  #down(from: number, size: number): boolean {
    let i = from;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= size) break;
      const next = left + 1 < size && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(next, i)) break;
      this.#swap(i, next);
      i = next;
    }
    return i > from;
  }

  #isBefore(i: number, j: number): boolean {
    return this.#timeOf(i) < this.#timeOf(j);
  }

  #timeOf(i: number): bigint {
    return this.#nodes[i]?.expireTime ?? 0n;
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#nodes[i], this.#nodes[j]];
    if (a === undefined || b === undefined) return;
    [this.#nodes[i], this.#nodes[j]] = [b, a];
    [a.heapIndex, b.heapIndex] = [j, i];
  }
}
