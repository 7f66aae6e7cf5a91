/** The place of a value in a list. */
export class Link<T> {
  readonly value: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
  #list: LinkedList<T> | undefined;

  constructor(value: T, list: LinkedList<T>) {
    this.value = value;
    this.#list = list;
  }

  /** Takes the value out, if it is there. */
  leave(): void {
    const list = this.#list;
    this.#list = undefined;
    list?.remove(this);
  }
}

/**
 * Values in order of arrival; any of them can leave. A Set that changes with every request leaves a trail of outgrown
 * tables, and each keeps what it held from the garbage collector until that looks at everything.
 */
export class LinkedList<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;

  /** What has been there for longest. */
  get first(): Link<T> | undefined {
    return this.#first;
  }

  /** Appends a value; its link takes it out. */
  add(value: T): Link<T> {
    const link = new Link(value, this);
    link.before = this.#last;
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    return link;
  }

  /** The values as they are now. */
  toArray(): T[] {
    const values: T[] = [];
    for (let link = this.#first; link !== undefined; link = link.after) values.push(link.value);
    return values;
  }

  /** For links alone. */
  remove(link: Link<T>): void {
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // Whoever still holds it holds no more than its own value.
    link.before = link.after = undefined;
  }
}
