import type { ChangeEvent, ResyncEvent, SyncEvent, WatchEvent } from 'rxetcd/v3';
import type { Change } from './store-history.js';

/** Each validator names what it found wrong; an empty list means that the promise was kept. */
type Findings = string[];

/** What a watch looks at, and from where on. */
export interface Scope {
  readonly range: string | { readonly prefix: string };
  readonly only?: 'put' | 'delete';
  /** What comes above this revision of the first store is its to see. */
  readonly after: number;
}

/**
 * What the store has been through: all its changes from the first on. One list for each store that was there one after the
 * other: a resync that is not for compaction begins the next.
 */
export type Stores = readonly (readonly Change[])[];

/** Ordered: revisions never fall; behind a state, or a word that all was told up to a revision, there is nothing of it. */
export function ordered(events: readonly WatchEvent[]): Findings {
  return epochsOf(events).flatMap((epoch) =>
    epoch.flatMap((event, i) => {
      const before = epoch[i - 1];
      const isNext =
        before === undefined ||
        event.revision > before.revision ||
        (event.revision === before.revision && (isChange(before) || !isChange(event)));
      return isNext ? [] : [`${lineOf(event)} after ${lineOf(before)}`];
    }),
  );
}

/** Unique: no change twice. */
export function unique(events: readonly WatchEvent[]): Findings {
  return epochsOf(events).flatMap((epoch) => {
    const seen = new Set<string>();
    return epoch.filter(isChange).flatMap((event) => {
      const name = `${keyOf(event)}@${event.revision}`;
      if (seen.has(name)) return [`${lineOf(event)} twice`];
      seen.add(name);
      return [];
    });
  });
}

/** Atomic: the changes of one revision come together, all or none, and `last` marks the last and no other. */
export function atomic(events: readonly WatchEvent[], stores: Stores, scope: Scope): Findings {
  return epochsOf(events).flatMap((epoch, i) => {
    const due = byRevision((stores[i] ?? []).filter((change) => isDue(scope, change)));
    const groups: ChangeEvent[][] = [];
    epoch.forEach((event, at) => {
      if (!isChange(event)) return;
      const before = epoch[at - 1];
      const goesOn = before !== undefined && isChange(before) && before.revision === event.revision;
      if (goesOn) groups.at(-1)!.push(event);
      else groups.push([event]);
    });
    return groups.flatMap((group) => {
      const { revision } = group[0]!;
      const wanted = due.get(revision)?.length ?? 0;
      const wrong = group.filter((event, at) => event.last !== (at === group.length - 1));
      return [
        ...wrong.map((event) => `last: ${event.last} of ${lineOf(event)}`),
        ...(group.length === wanted ? [] : [`${group.length} of ${wanted} changes of ${revision} together`]),
      ];
    });
  });
}

/**
 * Reliable: every change is an event as the store has it, or lies in the lost range of exactly one resync; every event is
 * such a change; and every state is that of its revision.
 */
export function reliable(events: readonly WatchEvent[], stores: Stores, scope: Scope): Findings {
  const epochs = epochsOf(events);
  return epochs.flatMap((epoch, i) => {
    const changes = stores[i] ?? [];
    const after = i === 0 ? scope.after : epoch[0]!.revision;
    // What came behind that was never seen of this store.
    const end = resyncOf(epochs[i + 1]?.[0])?.lost.from ?? Infinity;
    const told = new Map(epoch.filter(isChange).map((event) => [`${keyOf(event)}@${event.revision}`, event]));
    const lost = epoch.flatMap((event) => {
      const resync = resyncOf(event);
      return resync?.lost.to === undefined ? [] : [resync.lost];
    });
    const due = changes.filter(
      (change) => isDue(scope, change) && change.revision > after && change.revision < end,
    );
    const known = new Set(due.map(({ key, revision }) => `${key}@${revision}`));
    return [
      ...due.flatMap((change) => {
        const event = told.get(`${change.key}@${change.revision}`);
        const times = lost.filter(({ from, to }) => from <= change.revision && change.revision <= to).length;
        if (event !== undefined && times > 0) return [`told and lost: ${changeLine(change)}`];
        if (event !== undefined)
          return isSame(event, change) ? [] : [`garbled: ${lineOf(event)} for ${changeLine(change)}`];
        if (times > 1) return [`lost ${times} times: ${changeLine(change)}`];
        return times === 0 ? [`missing: ${changeLine(change)}`] : [];
      }),
      ...[...told].filter(([name]) => !known.has(name)).map(([, event]) => `invented: ${lineOf(event)}`),
      ...epoch.filter(isState).flatMap((state) => stateFindings(state, changes, scope)),
      ...epoch.filter(isChange).flatMap((event) => beforeFindings(event, changes)),
    ];
  });
}

/** Resumable: a watch from the revision behind that of an event tells exactly the rest. */
export function resumable(
  events: readonly WatchEvent[],
  revision: number,
  resumed: readonly WatchEvent[],
): Findings {
  const rest = events.filter((event) => isChange(event) && event.revision > revision);
  const got = resumed.filter(isChange);
  return Array.from({ length: Math.max(rest.length, got.length) }).flatMap((_, i) => {
    const [wanted, is] = [rest[i], got[i]].map((event) => event && lineOf(event));
    return wanted === is ? [] : [`resumed after ${revision}: ${String(is)} in place of ${String(wanted)}`];
  });
}

/** Filtered: nothing of another key, nor of another kind. */
export function filtered(events: readonly WatchEvent[], scope: Scope): Findings {
  return events.flatMap((event) => {
    if (isState(event))
      return event.kvs
        .filter(({ key }) => !covers(scope, key))
        .map(({ key }) => `not its own: ${key} in ${lineOf(event)}`);
    const isOwn = !isChange(event) || (covers(scope, keyOf(event)) && isOfKind(scope, event));
    return isOwn ? [] : [`not its own: ${lineOf(event)}`];
  });
}

/**
 * Needed: no resync for compaction where the member still had it all. Behind a delete a watch cannot be resumed from the
 * compacted revision itself: 3.4 would swallow it.
 */
export function needed(events: readonly WatchEvent[], compacted: number): Findings {
  return events.flatMap((event) => {
    const lost = resyncOf(event)?.lost;
    return lost?.reason === 'compacted' && lost.from > compacted + 1 ? [`needless: ${lineOf(event)}`] : [];
  });
}

/** All promises at once. @param compacted the highest revision that was compacted away */
export function watchFindings(
  events: readonly WatchEvent[],
  stores: Stores,
  scope: Scope,
  compacted = 0,
): Findings {
  return [
    ...ordered(events),
    ...unique(events),
    ...atomic(events, stores, scope),
    ...reliable(events, stores, scope),
    ...filtered(events, scope),
    ...needed(events, compacted),
  ];
}

const isChange = (event: WatchEvent): event is ChangeEvent => event.type === 'put' || event.type === 'delete';
const isState = (event: WatchEvent): event is SyncEvent | ResyncEvent =>
  event.type === 'sync' || event.type === 'resync';
const resyncOf = (event: WatchEvent | undefined): ResyncEvent | undefined =>
  event?.type === 'resync' ? event : undefined;
const keyOf = (event: ChangeEvent): string => (event.type === 'put' ? event.kv.key : event.key);

/** What was told of one store after the other. */
function epochsOf(events: readonly WatchEvent[]): WatchEvent[][] {
  const epochs: WatchEvent[][] = [[]];
  for (const event of events) {
    if (event.type === 'resync' && event.reason !== 'compacted') epochs.push([]);
    epochs.at(-1)!.push(event);
  }
  return epochs;
}

const covers = ({ range }: Scope, key: string): boolean =>
  typeof range === 'string' ? key === range : key.startsWith(range.prefix);
const isOfKind = ({ only }: Scope, { type }: Pick<Change, 'type'>): boolean =>
  only === undefined || only === type;
const isDue = (scope: Scope, { key, type }: Change): boolean =>
  covers(scope, key) && isOfKind(scope, { type });

function byRevision(changes: readonly Change[]): Map<number, Change[]> {
  const lists = new Map<number, Change[]>();
  for (const change of changes) lists.set(change.revision, [...(lists.get(change.revision) ?? []), change]);
  return lists;
}

function isSame(event: ChangeEvent, { type, value, version }: Change): boolean {
  if (event.type !== type) return false;
  return event.type === 'delete' || (event.kv.value === value && event.kv.version === version);
}

function stateFindings(state: SyncEvent | ResyncEvent, changes: readonly Change[], scope: Scope): Findings {
  const wanted = new Map<string, string>();
  for (const { type, key, value, revision } of changes) {
    if (revision > state.revision || !covers(scope, key)) continue;
    if (type === 'put') wanted.set(key, value);
    else wanted.delete(key);
  }
  const told = new Map(state.kvs.map(({ key, value }) => [key, value]));
  const beyond =
    (resyncOf(state)?.lost.to ?? 0) > state.revision ? [`lost beyond its state: ${lineOf(state)}`] : [];
  const [is, should] = [told, wanted].map((kvs) =>
    [...kvs]
      .map((kv) => kv.join('='))
      .sort()
      .join(' '),
  );
  return is === should
    ? beyond
    : [...beyond, `the state at ${state.revision} is [${is}] in place of [${should}]`];
}

/** What stood there before, where it is told. */
function beforeFindings(event: ChangeEvent, changes: readonly Change[]): Findings {
  if (event.prevKv === undefined) return [];
  const before = changes.findLast(({ key, revision }) => key === keyOf(event) && revision < event.revision);
  const value = before?.type === 'put' ? before.value : undefined;
  return value === event.prevKv.value
    ? []
    : [`before ${lineOf(event)} stood ${String(value)}, not ${event.prevKv.value}`];
}

const changeLine = ({ type, key, value, revision }: Change): string =>
  type === 'put' ? `put ${key}=${value}@${revision}` : `delete ${key}@${revision}`;

function lineOf(event: WatchEvent): string {
  if (event.type === 'put') return `put ${event.kv.key}=${event.kv.value}@${event.revision}`;
  if (event.type === 'delete') return `delete ${event.key}@${event.revision}`;
  const resync = resyncOf(event);
  const lost = resync === undefined ? '' : ` ${resync.reason} ${resync.lost.from}-${resync.lost.to ?? ''}`;
  return `${event.type}${lost}@${event.revision}`;
}
