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

/** A node and all below it, each behind its children. A tree may be deeper than the call stack, so nothing here calls itself. */
export function bottomUp(top: StoreNode): StoreNode[] {
  const found: StoreNode[] = [];
  const waiting = [top];
  for (let node; (node = waiting.pop()) !== undefined;) {
    found.push(node);
    for (const child of node.children?.values() ?? []) waiting.push(child);
  }
  return found.reverse();
}
