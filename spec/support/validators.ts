import type { ChangeEvent, WatchEvent } from 'rxetcd';

/** A stored write, as the cluster holds it in the end. */
export interface Stored {
  readonly key: string;
  readonly value: string;
  readonly index: number;
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

/** Reliable: every stored write is an event with its key, value and index, and every event is a stored write. */
export function reliable(events: readonly WatchEvent[], stored: readonly Stored[]): Findings {
  const changes = events.filter((e): e is ChangeEvent => e.action !== 'sync' && e.action !== 'resync');
  const lines = new Set(changes.map(({ node, index }) => `${String(index)} ${node.key}=${node.value ?? ''}`));
  const truth = new Set(stored.map(({ key, value, index }) => `${String(index)} ${key}=${value}`));
  return [
    ...[...truth].filter((line) => !lines.has(line)).map((line) => `missing: ${line}`),
    ...[...lines].filter((line) => !truth.has(line)).map((line) => `invented: ${line}`),
    ...events.filter((e) => e.action === 'resync').map((e) => `resync at ${String(e.index)}`),
  ];
}

/** Durable: every acknowledged write is stored at the index it was acknowledged with. */
export function durable(acknowledged: readonly Stored[], stored: readonly Stored[]): Findings {
  const indexOf = new Map(stored.map(({ key, index }) => [key, index]));
  return acknowledged.flatMap(({ key, index }) =>
    indexOf.get(key) === index
      ? []
      : [`acknowledged ${key} at ${String(index)}, stored at ${String(indexOf.get(key))}`],
  );
}
