/** Where the time comes from: nanoseconds since 1970, UTC. */
export interface Clock {
  /** The time. */
  now(): bigint;
}

const perMillisecond = 1_000_000n;
const perSecond = 1_000_000_000n;

/** The machine's clock, finer than a millisecond. */
export function systemClock(): Clock {
  const start = BigInt(Date.now()) * perMillisecond - process.hrtime.bigint();
  return { now: () => start + process.hrtime.bigint() };
}

/** As etcd prints a time: RFC 3339 in UTC with up to nine decimals, no trailing zeros. */
export function formatTime(time: bigint): string {
  const fraction = ((time % perSecond) + perSecond) % perSecond;
  const seconds = new Date(Number((time - fraction) / perMillisecond)).toISOString().slice(0, 19);
  const decimals = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return decimals === '' ? `${seconds}Z` : `${seconds}.${decimals}Z`;
}

/** The seconds from `now` to `time`, a part of a second counted as a whole one. */
export function secondsUntil(time: bigint, now: bigint): number {
  const left = time - now;
  return Number(left / perSecond) + (left % perSecond > 0n ? 1 : 0);
}

/** When a TTL in seconds that is set now ends: etcd counts in signed 64 bits of nanoseconds, and wraps around. */
export function expiryAfter(ttl: bigint, now: bigint): bigint {
  return BigInt.asIntN(64, now + BigInt.asIntN(64, ttl * perSecond));
}
