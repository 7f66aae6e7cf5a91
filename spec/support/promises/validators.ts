import type { ChangeEvent, EtcdNode, ResyncEvent, SyncEvent, WatchEvent } from 'rxetcd';

/** A change of the store, as an independent witness has seen it. */
export interface Change {
  readonly key: string;
  readonly index: number;
  readonly value?: string | undefined;
  /** Compared if it is known. */
  readonly action?: string;
  readonly dir?: boolean | undefined;
}

/** A stored write, as the cluster holds it in the end. */
export interface Stored extends Change {
  readonly value: string;
}

/** What a watch looks at, and from where on. */
export interface Scope {
  readonly key: string;
  readonly recursive: boolean;
  /** The watch stood when the store was here: what comes above is its to see. */
  readonly after: number;
  /** What comes above is not its to see yet; a younger state may hold it. Default: everything is. */
  readonly upTo?: number;
  /** Without readable headers a state may be younger than its index says: as young as the last change that is known. */
  readonly blind?: boolean;
}

/** Each validator names what it found wrong; an empty list means that the promise was kept. */
type Findings = string[];

/** Ordered: indexes only rise. */
export function ordered(events: readonly WatchEvent[]): Findings {
  return events.flatMap((event, i) => {
    const before = events[i - 1];
    return before !== undefined && event.index <= before.index
      ? [`event ${String(event.index)} after ${String(before.index)}`]
      : [];
  });
}

/** Unique: no index twice. */
export function unique(events: readonly WatchEvent[]): Findings {
  const seen = new Set<number>();
  return events.flatMap(({ index }) => {
    if (seen.has(index)) return [`index ${String(index)} twice`];
    seen.add(index);
    return [];
  });
}

/**
 * Reliable: every change is an event with its key and value, or lies in the lost range of exactly one resync that
 * carries the state at its index; and every event is such a change.
 *
 * @param changes all of the store from its first change on; without `scope` just those to be seen
 * @param scope without it no state can be checked, and a resync is a finding
 */
export function reliable(events: readonly WatchEvent[], changes: readonly Change[], scope?: Scope): Findings {
  const due = scope === undefined ? changes.map((change) => ({ change, must: true })) : dueTo(scope, changes);
  const told = new Map(events.filter(isChange).map((event) => [event.index, event]));
  const known = new Set(due.map(({ change }) => change.index));
  const resyncs = events.filter((event) => event.action === 'resync');
  return [
    ...due.flatMap(({ change, must }) => {
      const event = told.get(change.index);
      const lost = resyncs.filter((resync) => isLost(resync, change.index)).length;
      if (event !== undefined && !isSame(event, change))
        return [`garbled: ${lineOf(toChange(event))} for ${lineOf(change)}`];
      if (event !== undefined) return lost === 0 ? [] : [`told and lost: ${lineOf(change)}`];
      if (lost > 1) return [`lost ${lost} times: ${lineOf(change)}`];
      return must && lost === 0 ? [`missing: ${lineOf(change)}`] : [];
    }),
    ...[...told.values()]
      .filter(({ index }) => !known.has(index))
      .map((event) => `invented: ${lineOf(toChange(event))}`),
    ...(scope === undefined
      ? resyncs.map(({ index }) => `resync at ${index}`)
      : events.filter(isState).flatMap((event) => stateFindings(event, changes, scope))),
  ];
}

/**
 * Resumable: a watch from `index + 1` of an event yields exactly the rest.
 *
 * @param resumed what that watch has told, up to where `events` ends
 */
export function resumable(
  events: readonly WatchEvent[],
  index: number,
  resumed: readonly WatchEvent[],
): Findings {
  const rest = events.filter((event) => event.index > index);
  return Array.from({ length: Math.max(rest.length, resumed.length) }).flatMap((_, i) => {
    const [wanted, got] = [rest[i], resumed[i]].map((event) => event && lineOf(toChange(event)));
    return wanted === got ? [] : [`resumed after ${index}: ${String(got)} in place of ${String(wanted)}`];
  });
}

/** Filtered: no hidden key, no neighbour with a like name, nothing below a single key; but a deleted ancestor. */
export function filtered(events: readonly WatchEvent[], changes: readonly Change[], scope: Scope): Findings {
  const told = new Set(events.map(({ index }) => index));
  const resyncs = events.filter((event) => event.action === 'resync');
  return [
    ...events
      .filter(isChange)
      .map(toChange)
      .filter((change) => bearing(scope, change) === 'none')
      .map((change) => `not of ${scope.key}: ${lineOf(change)}`),
    ...events
      .filter(isState)
      .flatMap(({ node, index }) => [...leavesOf(node)].map(([key]) => ({ key, index })))
      .filter((leaf) => bearing(scope, leaf) === 'none')
      .map((leaf) => `not of ${scope.key}: ${leaf.key} in the state at ${leaf.index}`),
    ...dueTo(scope, changes)
      .filter(({ change, must }) => must && bearing(scope, change) === 'ancestor')
      .filter(({ change: { index } }) => !told.has(index) && !resyncs.some((resync) => isLost(resync, index)))
      .map(({ change }) => `a deleted ancestor is missing: ${lineOf(change)}`),
  ];
}

/** Needed: no resync while etcd still held the events. */
export function needed(events: readonly WatchEvent[], history = 900): Findings {
  return events
    .filter((event) => event.action === 'resync')
    .filter(({ lost, index }) => index - lost.from < history)
    .map(({ lost, index }) => `a needless resync at ${index}, lost ${lost.from}-${lost.to ?? lost.reason}`);
}

/** Durable: every acknowledged write is stored at the index it was acknowledged with. */
export function durable(acknowledged: readonly Change[], stored: readonly Change[]): Findings {
  const indexOf = new Map(stored.map(({ key, index }) => [key, index]));
  return acknowledged.flatMap(({ key, index }) =>
    indexOf.get(key) === index
      ? []
      : [`acknowledged ${key} at ${String(index)}, stored at ${String(indexOf.get(key))}`],
  );
}

/** The changes that a watch is to see; those that it may see or not, as etcd tells them from history only, not `must`. */
export function dueTo(scope: Scope, changes: readonly Change[]): { change: Change; must: boolean }[] {
  const store = new Store();
  return changes.flatMap((change) => {
    const part = bearing(scope, change);
    // A live watch of what is not there hears nothing of its ancestors.
    const must = part === 'own' || (part === 'ancestor' && store.has(scope.key));
    store.apply(change);
    const isWithin = change.index > scope.after && change.index <= (scope.upTo ?? Infinity);
    return part === 'none' || !isWithin ? [] : [{ change, must }];
  });
}

const removals = new Set(['delete', 'expire', 'compareAndDelete']);

function bearing({ key, recursive }: Scope, change: Change): 'own' | 'ancestor' | 'none' {
  if (change.key === key) return 'own';
  const isGone = change.dir === true && removals.has(change.action ?? '');
  if (isBelow(key, change.key)) return isGone ? 'ancestor' : 'none';
  return recursive && isBelow(change.key, key) && !isHidden(change.key, key) ? 'own' : 'none';
}

const isBelow = (key: string, dir: string): boolean => key.startsWith(dir === '/' ? dir : `${dir}/`);
const isHidden = (key: string, dir: string): boolean => key.slice(dir.length).includes('/_');
const isChange = (event: WatchEvent): event is ChangeEvent =>
  event.action !== 'sync' && event.action !== 'resync';
const isState = (event: WatchEvent): event is SyncEvent | ResyncEvent => !isChange(event);
/** Only a range of the same store covers what was not told. */
export const isLost = ({ lost }: ResyncEvent, index: number): boolean =>
  lost.reason === 'cleared' && lost.from <= index && index <= lost.to;

const toChange = ({ action, index, node: { key, value, dir } }: WatchEvent): Change => ({
  action,
  key,
  value,
  dir,
  index,
});

const lineOf = ({ index, action = 'set', key, value }: Change): string =>
  `${index} ${action} ${key}${value === undefined ? '' : `=${value}`}`;

const isSame = ({ action, node }: ChangeEvent, change: Change): boolean =>
  node.key === change.key &&
  (node.value ?? '') === (change.value ?? '') &&
  (change.action === undefined || action === change.action);

/** What the changes leave behind: files with their values, directories without. */
class Store {
  readonly #nodes = new Map<string, string | undefined>();

  apply({ action = 'set', key, value, dir }: Change): void {
    if (removals.has(action)) {
      for (const name of this.#nodes.keys()) if (name === key || isBelow(name, key)) this.#nodes.delete(name);
      return;
    }
    // A directory stays when what made it is gone.
    for (let end = key.indexOf('/', 1); end > 0; end = key.indexOf('/', end + 1))
      this.#nodes.set(key.slice(0, end), undefined);
    this.#nodes.set(key, dir === true ? undefined : (value ?? ''));
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  /** What a listing shows of it. */
  read({ key, recursive }: Scope): string {
    const files = [...this.#nodes].filter(
      ([name, value]) =>
        value !== undefined && (name === key || (recursive && isBelow(name, key) && !isHidden(name, key))),
    );
    return textOf(files);
  }
}

const textOf = (files: Iterable<[string, string | undefined]>): string =>
  [...files]
    .map(([key, value]) => `${key}=${value ?? ''}`)
    .sort()
    .join(' ');

function* leavesOf({ key, value, nodes = [] }: EtcdNode): Generator<[string, string]> {
  if (value !== undefined) yield [key, value];
  for (const node of nodes) yield* leavesOf(node);
}

function stateFindings(event: SyncEvent | ResyncEvent, changes: readonly Change[], scope: Scope): Findings {
  const store = new Store();
  const leaves = [...leavesOf(event.node)].filter(([key]) => scope.recursive || key === scope.key);
  const told = textOf(leaves);
  for (const change of changes) if (change.index <= event.index) store.apply(change);
  const later = changes.filter(({ index }) => index > event.index);
  const rest =
    'lost' in event && (event.lost.to ?? 0) > event.index ? [`lost beyond its state at ${event.index}`] : [];
  const wanted = store.read(scope);
  const fits = () => store.read(scope) === told;
  const isRight = fits() || (scope.blind === true && later.some((change) => (store.apply(change), fits())));
  return isRight ? rest : [...rest, `the state at ${event.index} is [${told}] in place of [${wanted}]`];
}
