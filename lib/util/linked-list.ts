interface Link<T> {
  readonly value: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

/**
 * Values in order of arrival; any of them can leave. A Set that changes with every request leaves a trail of outgrown
 * tables, and each keeps what it held from the garbage collector until that looks at everything.
 */
export class LinkedList<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  /** Appends a value; returns what takes it out. */
  add(value: T): () => void {
    const link: Link<T> = { value, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#remove(link);
    };
  }

  /** The values as they are now. */
  toArray(): T[] {
    const values: T[] = [];
    for (let link = this.#first; link !== undefined; link = link.after) values.push(link.value);
    return values;
  }

  #remove(link: Link<T>): void {
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // Whoever still holds it holds no more than its own value.
    link.before = link.after = undefined;
  }
}
