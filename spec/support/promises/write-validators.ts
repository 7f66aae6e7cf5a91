import type { Change } from './validators.js';
import type { WriteCall } from './write-history.js';
import type { SentWrites } from '../proxies/write-tap.js';

/** Each validator names what it found wrong; an empty list means that the promise was kept. */
type Findings = string[];

/** Acknowledged: the log holds each acknowledged write, at the index that it was acknowledged with. */
export function acknowledgedInLog(calls: readonly WriteCall[], log: readonly Change[]): Findings {
  const at = new Map(log.map((change) => [change.index, change]));
  return calls.flatMap((call) => {
    if (call.acknowledged === undefined) return [];
    const { key, index } = call.acknowledged;
    const change = at.get(index);
    const isSame = change?.key === key && (call.value ?? '') === (change.value ?? '');
    return isSame ? [] : [`acknowledged at ${index}, where the log has ${change?.value}: ${lineOf(call)}`];
  });
}

/** Applied once: no value that only one call has ever written came to be twice. */
export function appliedOnce(calls: readonly WriteCall[], log: readonly Change[]): Findings {
  const indexes = indexesOf(log);
  return uniqueWrites(calls).flatMap((call) => {
    const applied = indexes(call);
    return applied.length > 1 ? [`applied at ${applied.join(' and ')}: ${lineOf(call)}`] : [];
  });
}

/** Honest: what was refused ("compare failed", "key exists") or given up as not executed never came to be. */
export function refusedHonestly(calls: readonly WriteCall[], log: readonly Change[]): Findings {
  const indexes = indexesOf(log);
  return uniqueWrites(calls)
    .filter(({ outcome }) => outcome === 'mismatch' || outcome === 'failed')
    .flatMap((call) => indexes(call).map((index) => `applied at ${index}: ${lineOf(call)}`));
}

/** Expected: no call ended in an error that it should not end in. */
export function unsurprising(calls: readonly WriteCall[]): Findings {
  return calls.flatMap((call) => (call.surprise === undefined ? [] : [`${call.surprise}: ${lineOf(call)}`]));
}

/** How a try ends that never left: no connection, or none in time. */
const neverLeft = /REFUSED|CONNECT/;
/** What was on its way when a connection broke may be lost before anybody counts it. */
const broken = /RESET|EPIPE|SOCKET|closed|hang up|terminated/i;

/** Unknown for a reason: where no try reached a member the outcome is known. */
export function unknownForAReason(calls: readonly WriteCall[], sent: SentWrites): Findings {
  return calls
    .filter(({ outcome }) => outcome === 'unknown')
    .flatMap((call) => {
      const errors = (call.attempts ?? []).map(({ error }) => error);
      if (errors.every((error) => neverLeft.test(error)))
        return [`unknown, and no try left: ${lineOf(call)} ${errors.join('; ')}`];
      const wasHeard = call.value === undefined || sent.of(call.value) > 0;
      return wasHeard || errors.some((error) => broken.test(error))
        ? []
        : [`unknown, and nobody heard of it: ${lineOf(call)} ${errors.join('; ')}`];
    });
}

/** Sent once: no value went out twice. */
export function sentOnce(calls: readonly WriteCall[], sent: SentWrites): Findings {
  return uniqueWrites(calls).flatMap((call) => {
    const times = sent.of(call.value);
    return times > 1 ? [`sent ${times} times: ${lineOf(call)}`] : [];
  });
}

/**
 * Not overwritten: what a client was acknowledged is not replaced by what it wrote before.
 *
 * @param late what has an unknown outcome may still come, as from a member that was frozen
 */
export function notOverwritten(calls: readonly WriteCall[], log: readonly Change[], late: boolean): Findings {
  const indexes = indexesOf(log);
  const writes = uniqueWrites(calls).filter((call) => call.operation !== 'createInOrder');
  return writes.flatMap((older) => {
    if (late && older.outcome === 'unknown') return [];
    const applied = Math.max(-1, ...indexes(older));
    return writes
      .filter(
        ({ client, key, start, acknowledged }) =>
          client === older.client &&
          key === older.key &&
          start > older.end &&
          acknowledged !== undefined &&
          acknowledged.index < applied,
      )
      .map((newer) => `${lineOf(newer)} is overwritten at ${applied} by ${lineOf(older)}`);
  });
}

type UniqueWrite = WriteCall & { readonly value: string };

/** The writes whose value nobody else has written. */
function uniqueWrites(calls: readonly WriteCall[]): UniqueWrite[] {
  const writes = calls.filter((call): call is UniqueWrite => call.value !== undefined);
  const times = new Map<string, number>();
  for (const { value } of writes) times.set(value, (times.get(value) ?? 0) + 1);
  return writes.filter(({ value }) => times.get(value) === 1);
}

const removals = new Set(['delete', 'expire', 'compareAndDelete']);

/** Where the log says that a call was applied. */
function indexesOf(log: readonly Change[]): (call: UniqueWrite) => number[] {
  const known = new Map<string, number[]>();
  for (const { value, index, action = '' } of log)
    if (value !== undefined && !removals.has(action)) known.set(value, [...(known.get(value) ?? []), index]);
  return ({ value }) => known.get(value) ?? [];
}

function lineOf({ client, operation, key, value, outcome, start, end, acknowledged }: WriteCall): string {
  const at = acknowledged === undefined ? '' : ` at ${acknowledged.index}`;
  return `client ${client}: ${operation} ${key}=${value ?? ''} ${outcome}${at} [${start}, ${end}]`;
}
