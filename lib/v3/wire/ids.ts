/*
 * Clusters, members and leases have 64-bit ids. Outside the wire they are the hexadecimal text that `etcdctl` prints, which is
 * also what stands in the keys of locks and elections. An id of 0 names nothing.
 */

/** A cluster's or member's id; undefined for 0, or for what no uint64 is. */
export const idText = (id: bigint): string | undefined =>
  id === 0n || BigInt.asUintN(64, id) !== id ? undefined : id.toString(16);

/** A lease's id, an int64 of which `etcdctl` prints all 16 digits; undefined for 0, or for what no int64 is. */
export function leaseText(id: bigint): string | undefined {
  if (id === 0n || BigInt.asIntN(64, id) !== id) return undefined;
  return id < 0n ? `-${(-id).toString(16).padStart(15, '0')}` : id.toString(16).padStart(16, '0');
}

/** The number that such a text stands for; undefined if it is none. */
export function idNumber(text: string): bigint | undefined {
  const [, sign, digits] = /^(-?)([0-9a-f]{1,16})$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const size = BigInt(`0x${digits}`);
  return sign === '-' ? -size : size;
}
