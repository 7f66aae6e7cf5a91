import { nameOf } from './paths.js';

/** A file or a directory of the tree. */
export class StoreNode {
  /** Undefined for a file. */
  readonly children: Map<string, StoreNode> | undefined;
  modifiedIndex: number;
  /** Its place in the expiry heap; -1 outside. */
  heapIndex = -1;

  /** @param expireTime in ns; undefined lasts for ever */
  constructor(
    readonly path: string,
    readonly parent: StoreNode | undefined,
    readonly createdIndex: number,
    readonly dir: boolean,
    public value: string,
    public expireTime: bigint | undefined,
  ) {
    this.children = dir ? new Map() : undefined;
    this.modifiedIndex = createdIndex;
  }

  get name(): string {
    return nameOf(this.path);
  }

  get hidden(): boolean {
    return this.name.startsWith('_');
  }
}
