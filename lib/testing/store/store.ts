import type { Clock } from './clock.js';
import { ExpiryHeap } from './expiry-heap.js';
import { StoreNode, bottomUp } from './node.js';
import { expirationOf, viewOf } from './node-view.js';
import type { NodeView } from './node-view.js';
import { cleanPath, join, nameOf, parentOf, segmentsOf } from './paths.js';
import { StoreError } from './store-error.js';
import type { Action, StoreEvent } from './store-event.js';
import { counted, noCounts } from './store-stats.js';
import type { StoreCounts } from './store-stats.js';
import type { Watcher } from './watcher.js';
import { WatcherHub } from './watcher-hub.js';

export interface Expiry {
  /** In ns since 1970; undefined lasts for ever. */
  readonly expireTime?: bigint | undefined;
  /** Keeps the value, and tells no watcher. */
  readonly refresh?: boolean;
}

export interface Written extends Expiry {
  readonly dir?: boolean;
  readonly value?: string;
}

/** What is compared; `''` and 0 are not. */
export interface Condition {
  readonly prevValue: string;
  readonly prevIndex: bigint;
}

/** Times before 2000 were never meant: such a node lasts for ever. */
const earliestExpiry = BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n;

/**
 * The key space of etcd's v2 API, in memory: a tree of files and directories, one index for all of it that counts the changes,
 * and the watches. Every call is done when it returns. Paths are full ones, with their namespace first (`/1/key`).
 */
export class Store {
  readonly #clock: Clock;
  readonly #root: StoreNode;
  readonly #readOnly: ReadonlySet<string>;
  readonly #expiring = new ExpiryHeap();
  readonly #hub = new WatcherHub();
  readonly #counts = noCounts();
  #index = 0;

  /** @param namespaces directories that are there from the start and cannot be written themselves */
  constructor({ clock, namespaces }: { clock: Clock; namespaces: readonly string[] }) {
    this.#clock = clock;
    this.#readOnly = new Set(['/', ...namespaces]);
    this.#root = new StoreNode('/', undefined, 0, true, '', undefined);
    for (const path of namespaces) this.#attach(new StoreNode(path, this.#root, 0, true, '', undefined));
  }

  /** Of the latest change. */
  get index(): number {
    return this.#index;
  }

  get counts(): Readonly<StoreCounts> {
    return { ...this.#counts, watchers: this.#hub.count };
  }

  /** Whether any node has a TTL. */
  get expires(): boolean {
    return !this.#expiring.isEmpty;
  }

  get(path: string, recursive = false, sorted = false): StoreEvent {
    return counted(this.#counts, 'gets', () => {
      const node = this.#find(cleanPath(path));
      const depth = recursive ? 'all' : 'children';
      return {
        action: 'get',
        node: viewOf(node, this.#clock.now(), { depth, sorted }),
        index: this.#index,
      };
    });
  }

  set(path: string, { refresh = false, ...written }: Written): StoreEvent {
    return counted(this.#counts, 'sets', () => {
      const key = cleanPath(path);
      const before = this.#look(key);
      if (refresh && typeof before === 'string') throw this.#error(100, before);
      const value = refresh && typeof before !== 'string' ? before.value : (written.value ?? '');
      const event = this.#create(key, { ...written, value }, 'set');
      return this.#tell(refresh ? { ...event, refresh } : event);
    });
  }

  /** @param inOrder below `path`, under a name made of the index */
  create(path: string, written: Written, inOrder = false): StoreEvent {
    return counted(this.#counts, 'create', () => {
      const key = inOrder ? `${path}/${String(this.#index + 1).padStart(20, '0')}` : path;
      return this.#tell(this.#create(cleanPath(key), written, 'create'));
    });
  }

  /** A value for a file, a TTL for a file or a directory. A directory's modifiedIndex stays, as in etcd 3.4. */
  update(path: string, { value: wanted = '', expireTime, refresh = false }: Written): StoreEvent {
    return counted(this.#counts, 'update', () => {
      const key = cleanPath(path);
      this.#demandWritable(key);
      const node = this.#find(key);
      if (node.dir && wanted !== '') throw this.#error(102, key);
      return this.#write('update', node, refresh ? node.value : wanted, { expireTime, refresh });
    });
  }

  compareAndSwap(path: string, condition: Condition, written: Written): StoreEvent {
    return counted(this.#counts, 'compareAndSwap', () => {
      const { value: wanted = '', expireTime, refresh = false } = written;
      const key = cleanPath(path);
      this.#demandWritable(key);
      const node = this.#find(key);
      this.#compare(node, condition);
      return this.#write('compareAndSwap', node, refresh ? node.value : wanted, { expireTime, refresh });
    });
  }

  delete(
    path: string,
    { dir = false, recursive = false }: { dir?: boolean; recursive?: boolean },
  ): StoreEvent {
    return counted(this.#counts, 'delete', () => {
      const key = cleanPath(path);
      this.#demandWritable(key);
      const node = this.#find(key);
      if (node.children !== undefined) {
        if (!dir && !recursive) throw this.#error(102, key);
        if (node.children.size > 0 && !recursive) throw this.#error(108, key);
      }
      return this.#remove('delete', node);
    });
  }

  compareAndDelete(path: string, condition: Condition): StoreEvent {
    return counted(this.#counts, 'compareAndDelete', () => {
      const node = this.#find(cleanPath(path));
      this.#compare(node, condition);
      return this.#remove('compareAndDelete', node);
    });
  }

  /** Removes what has expired by then, in the order of its time. */
  expire(until: bigint): void {
    for (;;) {
      const node = this.#expiring.top;
      if (node?.expireTime === undefined || node.expireTime > until) return;
      this.#remove('expire', node);
      this.#counts.expireCount += 1;
    }
  }

  /** @param since the first index of interest, which may be past or to come; 0 = the next */
  watch(path: string, options: { recursive: boolean; stream: boolean; since: number }): Watcher {
    const { recursive, stream, since } = options;
    const first = since === 0 ? this.#index + 1 : since;
    return this.#hub.watch(cleanPath(path), recursive, stream, first, this.#index);
  }

  /** Forgets past events, as if 1,000 others had come since. */
  clearHistory(): void {
    this.#hub.history.clear();
  }

  #create(path: string, written: Written, action: 'set' | 'create'): StoreEvent {
    const { dir = false, value = '', expireTime } = written;
    this.#demandWritable(path);
    const parent = this.#makeDirs(parentOf(path));
    const before = parent.children?.get(nameOf(path));
    if (before !== undefined && action === 'create') throw this.#error(105, path);
    if (before?.dir === true) throw this.#error(102, path);
    const now = this.#clock.now();
    const prevNode = before && viewOf(before, now, { depth: 'none' });
    if (before !== undefined) this.#detach(before);
    this.#index += 1;
    const lasting = expireTime === undefined || expireTime < earliestExpiry;
    const text = dir ? '' : value;
    const node = new StoreNode(path, parent, this.#index, dir, text, lasting ? undefined : expireTime);
    this.#attach(node);
    const view = viewOf(node, now, { depth: 'none' });
    return { action, node: view, ...(prevNode && { prevNode }), index: this.#index };
  }

  #write(action: Action, node: StoreNode, value: string, { expireTime, refresh }: Expiry): StoreEvent {
    const { path: key, createdIndex, dir } = node;
    const now = this.#clock.now();
    const prevNode = viewOf(node, now, { depth: 'none' });
    this.#index += 1;
    if (!dir) {
      node.value = value;
      node.modifiedIndex = this.#index;
    }
    this.#setExpiry(node, expireTime);
    const what = dir ? { dir } : { value };
    const indexes = { modifiedIndex: this.#index, createdIndex };
    const view: NodeView = { key, ...(what as object), ...expirationOf(node, now), ...indexes };
    const event: StoreEvent = { action, node: view, prevNode, index: this.#index };
    return this.#tell(refresh === true ? { ...event, refresh } : event);
  }

  #remove(action: Action, node: StoreNode): StoreEvent {
    const { path: key, createdIndex, dir } = node;
    const prevNode = viewOf(node, this.#clock.now(), { depth: 'none' });
    this.#index += 1;
    const indexes = { modifiedIndex: this.#index, createdIndex };
    const gone: NodeView = dir ? { key, dir, ...indexes } : { key, ...indexes };
    const event: StoreEvent = { action, node: gone, prevNode, index: this.#index };
    for (const each of bottomUp(node)) {
      this.#detach(each);
      this.#hub.notifyGone(each.path, event);
    }
    return this.#tell(event);
  }

  #tell(event: StoreEvent): StoreEvent {
    if (event.refresh === true) this.#hub.history.add(event);
    else this.#hub.notify(event);
    return event;
  }

  #attach(node: StoreNode): void {
    node.parent?.children?.set(node.name, node);
    if (node.expireTime !== undefined) this.#expiring.push(node);
  }

  #detach(node: StoreNode): void {
    node.parent?.children?.delete(node.name);
    this.#expiring.remove(node);
  }

  #setExpiry(node: StoreNode, expireTime: bigint | undefined): void {
    const lasted = node.expireTime === undefined;
    node.expireTime = expireTime;
    if (expireTime === undefined) this.#expiring.remove(node);
    else if (lasted) this.#expiring.push(node);
    else this.#expiring.update(node);
  }

  #find(path: string): StoreNode {
    const found = this.#look(path);
    if (typeof found === 'string') throw this.#error(100, found);
    return found;
  }

  /** The node, or else the first part of the path that is missing. */
  #look(path: string): StoreNode | string {
    let node = this.#root;
    for (const name of segmentsOf(path)) {
      if (node.children === undefined) throw this.#error(104, node.path);
      const child = node.children.get(name);
      if (child === undefined) return join(node.path, name);
      node = child;
    }
    return node;
  }

  /** The directory at `path`, made if it is missing, with those above. */
  #makeDirs(path: string): StoreNode {
    let node = this.#root;
    for (const name of segmentsOf(path)) {
      const child =
        node.children?.get(name) ??
        new StoreNode(join(node.path, name), node, this.#index + 1, true, '', undefined);
      if (!child.dir) {
        // Counted here on top of the call's own failure, as etcd does.
        this.#counts.setsFail += 1;
        throw this.#error(104, child.path);
      }
      node.children?.set(name, child);
      node = child;
    }
    return node;
  }

  #demandWritable(path: string): void {
    if (this.#readOnly.has(path)) throw this.#error(107, '/');
  }

  #compare({ path, dir, value, modifiedIndex }: StoreNode, { prevValue, prevIndex }: Condition): void {
    if (dir) throw this.#error(102, path);
    const reasons = [
      ...(prevValue === '' || prevValue === value ? [] : [`[${prevValue} != ${value}]`]),
      ...(prevIndex === 0n || prevIndex === BigInt(modifiedIndex)
        ? []
        : [`[${prevIndex} != ${modifiedIndex}]`]),
    ];
    if (reasons.length > 0) throw this.#error(101, reasons.join(' '));
  }

  #error(errorCode: StoreError['errorCode'], reason: string): StoreError {
    return new StoreError(errorCode, reason, this.#index);
  }
}
