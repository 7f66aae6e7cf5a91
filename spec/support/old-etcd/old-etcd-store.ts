import { Observable, Subject, defer, filter, finalize, identity, map, of, take } from 'rxjs';
import { OldError } from './old-etcd-error.js';
import type { OldTraits } from './old-etcd-release.js';

/** What stands at a key. */
interface Entry {
  readonly key: string;
  readonly dir: boolean;
  readonly value: string;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
  readonly expiresAt?: number;
  readonly ttl?: number;
}

interface Change {
  readonly key: string;
  /** A directory that is gone, with all in it. */
  readonly goneDir: boolean;
  readonly index: number;
  readonly body: object;
}

/** A success of the store. */
export interface StoreAnswer {
  readonly created: boolean;
  readonly body: object;
}

/** Events that are remembered: of all keys together. */
const historySize = 1_000;

const parentOf = (key: string): string => key.slice(0, key.lastIndexOf('/')) || '/';
const isBelow = (key: string, dir: string): boolean => key.startsWith(dir === '/' ? '/' : `${dir}/`);
const isHidden = (key: string, below: string): boolean =>
  key
    .slice(below === '/' ? 0 : below.length)
    .split('/')
    .some((part) => part.startsWith('_'));

/** The key space of an old cluster: one for all its members, with what that release does right and wrong. */
export class OldStore {
  index: number;
  /** A write to / has destroyed it: measured on 0.2.0-rc1. */
  destroyed = false;
  /** Open watches. */
  watchers = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #history: Change[] = [];
  readonly #changes = new Subject<Change>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(private readonly traits: OldTraits) {
    this.index = traits.firstIndex;
  }

  /** Values by key, files only. */
  get files(): Record<string, string> {
    const files = [...this.#entries.values()].filter(({ dir, key }) => !dir && !key.startsWith('/_etcd'));
    return Object.fromEntries(files.map(({ key, value }) => [key, value]));
  }

  /** Puts an entry there without an event, as the members do when they join. */
  plant(key: string, value: string): void {
    this.#makeParents(key);
    this.#entries.set(key, this.#entry(key, { value }));
  }

  valueOf(key: string): string | undefined {
    return this.#entries.get(key)?.value;
  }

  close(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
  }

  get(key: string, params: URLSearchParams): StoreAnswer {
    const recursive = params.get('recursive') === 'true';
    const entry = this.#demand(key);
    return {
      created: false,
      body: this.#body('get', this.#node(entry, { recursive, sorted: params.get('sorted') === 'true' })),
    };
  }

  put(key: string, params: URLSearchParams): StoreAnswer {
    const { traits } = this;
    this.#demandWritable(key);
    const ttl = this.#ttl(params);
    const value = params.get('value') ?? '';
    const dir = params.get('dir') === 'true';
    const before = this.#entries.get(key);
    const conditional = params.has('prevValue') || params.has('prevIndex');

    if (params.get('prevExist') === 'false') {
      if (before !== undefined) throw new OldError(105, key);
      return this.#store('create', key, { value, dir, ttl });
    }
    if (conditional) {
      if (params.get('prevValue') === '') throw new OldError(201, 'CompareAndSwap');
      this.#compare(key, params, !traits.prevNode);
      const kept = { value, ttl: ttl ?? this.#keptTtl(before) };
      return this.#store('compareAndSwap', key, kept, this.#demand(key).createdIndex);
    }
    if (params.get('prevExist') === 'true') return this.#update(key, value, ttl, params);
    if (before?.dir === true) throw new OldError(102, key);
    const keeps = traits.refresh && params.get('refresh') === 'true';
    return this.#store('set', key, { value: keeps ? (before?.value ?? '') : value, dir, ttl });
  }

  /** In order: plain decimals before 2.3. */
  post(dir: string, params: URLSearchParams): StoreAnswer {
    const number = String(this.index + 1);
    const file = this.#entries.get(dir);
    // Measured on 0.2.0-rc1: allowed, and the file is no more.
    if (file?.dir === false && this.traits.flat) this.#entries.delete(dir);
    const key = `${dir === '/' ? '' : dir}/${this.traits.refresh ? number.padStart(20, '0') : number}`;
    const ttl = this.#ttl(params);
    return this.#store('create', key, {
      value: params.get('value') ?? '',
      dir: params.get('dir') === 'true',
      ttl,
    });
  }

  delete(key: string, params: URLSearchParams): StoreAnswer {
    const { traits } = this;
    this.#demandWritable(key);
    const entry = this.#demand(key);
    const conditional =
      traits.compareAndDelete && ['prevValue', 'prevIndex'].some((name) => params.has(name));
    if (conditional) this.#compare(key, params, false);
    if (entry.dir && params.get('recursive') !== 'true') {
      if (params.get('dir') !== 'true' || traits.flat) throw new OldError(102, key);
      if (this.#childrenOf(key).length > 0) throw new OldError(108, key);
    }
    return { created: false, body: this.#remove(conditional ? 'compareAndDelete' : 'delete', entry) };
  }

  /** The next event of a key: from history, or when it happens, or all from then on; throws when its history is gone. */
  watch(key: string, recursive: boolean, waitIndex: number, stream: boolean): Observable<object> {
    const { traits } = this;
    const oldest = this.#history[0]?.index ?? 0;
    if (waitIndex > 0 && waitIndex <= this.index) {
      if (this.#history.length === historySize && waitIndex < oldest && !traits.flat) {
        const reason = `the requested history has been cleared [${oldest}/${waitIndex}]`;
        throw new OldError(401, reason);
      }
      const [first, ...rest] = this.#history.filter((c) => c.index >= waitIndex);
      const overlooks = recursive && traits.overlooksItself;
      const old = [
        ...(first === undefined ? [] : [first]),
        ...(overlooks ? rest.filter((c) => c.key !== key) : rest),
      ].find((c) => this.#wasAt(c, key, recursive));
      if (old !== undefined) return of(old.body);
    }
    return defer(() => {
      this.watchers += 1;
      return this.#changes;
    }).pipe(
      filter((change) => change.index >= waitIndex && this.#isAt(change, key, recursive)),
      stream ? identity : take(1),
      map(({ body }) => body),
      finalize(() => (this.watchers -= 1)),
    );
  }

  #isAt({ key: changed, goneDir }: Change, key: string, recursive: boolean): boolean {
    if (changed === key || (goneDir && isBelow(key, changed))) return true;
    return recursive && isBelow(changed, key) && !(this.traits.earlyHeaders && isHidden(changed, key));
  }

  /** History is searched more simply; by text alone on 0.2.0-rc1. */
  #wasAt({ key: changed, goneDir }: Change, key: string, recursive: boolean): boolean {
    if (this.traits.flat) return changed.startsWith(key);
    if (this.traits.recallsAncestors && goneDir && isBelow(key, changed)) return true;
    return changed === key || (recursive && isBelow(changed, key));
  }

  #update(key: string, value: string, ttl: number | undefined, params: URLSearchParams): StoreAnswer {
    const { legacy, refresh, flat } = this.traits;
    if (legacy && value === '' && ttl === undefined) throw new OldError(204, 'Update');
    const before = this.#demand(key);
    if (before.dir && value !== '') throw new OldError(102, key);
    // Where refresh is not known, an update with a TTL alone wipes the value (but on 0.2.0-rc1).
    const keeps = (refresh && params.get('refresh') === 'true') || (flat && value === '');
    const silent = refresh && params.get('refresh') === 'true';
    const kept = {
      value: keeps ? before.value : value,
      dir: before.dir,
      ttl: ttl ?? this.#keptTtl(before),
    };
    return this.#store('update', key, kept, before.createdIndex, silent);
  }

  /** In seconds, with fractions. */
  #keptTtl(before: Entry | undefined): number | undefined {
    return this.traits.keepsTtl && before?.expiresAt !== undefined
      ? (before.expiresAt - Date.now()) / 1_000
      : undefined;
  }

  #store(
    action: string,
    key: string,
    { value, dir = false, ttl }: { value: string; dir?: boolean; ttl?: number | undefined },
    createdIndex?: number,
    silent = false,
  ): StoreAnswer {
    const { traits } = this;
    const before = this.#entries.get(key);
    this.#makeParents(key);
    this.index += 1;
    // Measured on 0.2.0-rc1: an empty value makes a directory.
    const isDir = dir || (traits.flat && value === '');
    const entry = this.#entry(key, { value: isDir ? '' : value, dir: isDir, ttl, createdIndex });
    this.#entries.set(key, entry);
    this.#expireLater(entry);
    const body = this.#body(action, this.#node(entry), action === 'create' ? undefined : before);
    if (!silent) this.#happened({ key, goneDir: false, index: this.index, body });
    const overEmpty = traits.omitsEmpty && before?.value === '';
    const created = action === 'create' || (action === 'set' && (before === undefined || overEmpty));
    return { created, body };
  }

  #remove(action: string, entry: Entry): object {
    const { key, dir, createdIndex } = entry;
    this.index += 1;
    for (const other of [...this.#entries.keys()]) if (isBelow(other, key)) this.#entries.delete(other);
    this.#entries.delete(key);
    // Up to 3.1 what has expired does not say that it was a directory.
    const tells = dir && action !== 'expire';
    const gone = { key, ...(tells ? { dir } : {}), modifiedIndex: this.index, createdIndex };
    const body = this.#body(action, gone, entry);
    this.#happened({ key, goneDir: dir, index: this.index, body });
    return body;
  }

  #happened(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > historySize) this.#history.shift();
    this.#changes.next(change);
  }

  #expireLater(entry: Entry): void {
    if (entry.expiresAt === undefined) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (this.#entries.get(entry.key) === entry) this.#remove('expire', entry);
      },
      Math.max(0, entry.expiresAt - Date.now()),
    );
    this.#timers.add(timer);
  }

  #entry(
    key: string,
    {
      value = '',
      dir = false,
      ttl,
      createdIndex = this.index,
    }: { [K in keyof Entry]?: Entry[K] | undefined },
  ): Entry {
    return {
      key,
      dir,
      value,
      createdIndex,
      modifiedIndex: this.index,
      ...(ttl === undefined ? {} : { ttl, expiresAt: Date.now() + ttl * 1_000 }),
    };
  }

  #makeParents(key: string): void {
    const parent = parentOf(key);
    if (parent === '/') return;
    const entry = this.#entries.get(parent);
    if (entry?.dir === true) return;
    if (entry !== undefined) throw new OldError(104, this.traits.flat ? parentOf(parent) : parent);
    this.#makeParents(parent);
    this.#entries.set(parent, { ...this.#entry(parent, { dir: true }), modifiedIndex: this.index + 1 });
  }

  #demandWritable(key: string): void {
    if (key !== '/') return;
    if (!this.traits.flat) throw new OldError(107, '/');
    this.destroyed = true;
  }

  #demand(key: string): Entry {
    if (key === '/') return { key, dir: true, value: '', createdIndex: 0, modifiedIndex: 0 };
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry;
    throw new OldError(100, this.#missing(key));
  }

  /** The first part of the path that is missing. */
  #missing(key: string): string {
    const parent = parentOf(key);
    return parent === '/' || this.#entries.has(parent) ? key : this.#missing(parent);
  }

  #compare(key: string, params: URLSearchParams, both: boolean): void {
    const { dir, value, modifiedIndex } = this.#demand(key);
    if (dir) throw new OldError(102, key);
    const [prevValue, prevIndex] = [params.get('prevValue'), params.get('prevIndex')];
    if (prevIndex !== null && !/^\d+$/.test(prevIndex)) throw new OldError(203, 'CompareAndSwap');
    const valueFits = prevValue === null || prevValue === value;
    const indexFits = prevIndex === null || Number(prevIndex) === modifiedIndex;
    if (valueFits && indexFits) return;
    const reasons = [
      ...(both || prevValue !== null ? [`[${prevValue ?? ''} != ${value}]`] : []),
      ...(both || prevIndex !== null ? [`[${prevIndex ?? '0'} != ${modifiedIndex}]`] : []),
    ];
    throw new OldError(101, reasons.join(' '));
  }

  #ttl(params: URLSearchParams): number | undefined {
    const ttl = params.get('ttl') ?? '';
    if (ttl !== '' && !/^-?\d+$/.test(ttl)) throw new OldError(202, 'Update');
    return ttl === '' ? undefined : Number(ttl);
  }

  #childrenOf(dir: string): Entry[] {
    return [...this.#entries.values()].filter(({ key }) => key !== dir && parentOf(key) === dir);
  }

  /** A node, with its children where it is listed. */
  #node(entry: Entry, listing?: { recursive: boolean; sorted: boolean }): Record<string, unknown> {
    const { key, dir, value, createdIndex, modifiedIndex, expiresAt, ttl } = entry;
    const { flat, omitsEmpty, legacy } = this.traits;
    const children =
      !dir || listing === undefined
        ? []
        : this.#childrenOf(key)
            .filter((child) => !isHidden(child.key, key))
            .map((child) => this.#node(child, listing.recursive ? listing : undefined));
    if (listing?.sorted === true) children.sort((a, b) => (String(a['key']) < String(b['key']) ? -1 : 1));
    const left = expiresAt === undefined ? 0 : Math.ceil((expiresAt - Date.now()) / 1_000);
    return {
      ...(key === '/' && !legacy ? {} : { key }),
      ...(dir ? { dir } : (flat || omitsEmpty) && value === '' ? {} : { value }),
      ...(children.length === 0 ? {} : { [flat ? 'kvs' : 'nodes']: children }),
      ...(expiresAt === undefined ? {} : { expiration: new Date(expiresAt).toISOString() }),
      // A TTL of 0 is left out, but on 0.2, which says 1.
      ...(ttl === undefined || (left === 0 && !omitsEmpty) ? {} : { ttl: Math.max(1, left) }),
      ...(key === '/' ? {} : { modifiedIndex, ...(flat ? {} : { createdIndex }) }),
    };
  }

  #body(action: string, node: Record<string, unknown>, before?: Entry): object {
    const { flat, prevNode } = this.traits;
    if (flat) {
      const { key, dir, ...rest } = node;
      const prevValue = before === undefined || before.value === '' ? {} : { prevValue: before.value };
      return { action, key, ...(dir === true ? { dir } : {}), ...prevValue, ...rest };
    }
    return {
      action,
      node,
      ...(prevNode && before !== undefined ? { prevNode: this.#node(before) } : {}),
    };
  }
}
