import { sorted } from '../go/sorted.js';

/** How far authentication moved the index of etcd's store, where it keeps all of this beside the keys. */
export class WriteCount {
  #count = 0;

  get value(): number {
    return this.#count;
  }

  /** Before the first write, even one that fails, etcd makes three directories and a key. */
  attempt(): void {
    if (this.#count === 0) this.#count = 4;
  }

  success(): void {
    this.#count += 1;
  }
}

/** Users or roles by name. Writes say whether they were done. */
export class Records<T> {
  readonly #records = new Map<string, T>();
  readonly #writes: WriteCount;

  constructor(writes: WriteCount) {
    this.#writes = writes;
  }

  get(name: string): T | undefined {
    return this.#records.get(name);
  }

  /** All but those that begin with an underscore: they are hidden, as keys are. */
  names(): string[] {
    return sorted([...this.#records.keys()].filter((name) => !name.startsWith('_')));
  }

  create(name: string, record: T): boolean {
    return this.#write(!this.#records.has(name), () => this.#records.set(name, record));
  }

  update(name: string, record: T): boolean {
    return this.#write(this.#records.has(name), () => this.#records.set(name, record));
  }

  delete(name: string): boolean {
    return this.#write(this.#records.has(name), () => this.#records.delete(name));
  }

  #write(possible: boolean, write: () => void): boolean {
    this.#writes.attempt();
    if (!possible) return false;
    write();
    this.#writes.success();
    return true;
  }
}
