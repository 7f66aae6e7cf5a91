import type { EtcdError } from '../errors.js';
import { parseJson, textIn } from '../transport/parse-json.js';
import type { Member } from './member.js';

/** Which releases an etcd server runs (`GET /version`). */
export interface ServerVersion {
  /** The release of the member that answered, as `3.4.23`. */
  readonly etcdserver: string;
  /** The release that the cluster works as, as `3.4.0`; absent before etcd 2.1. */
  readonly etcdcluster?: string;
}

/** One member's releases, or why it did not tell them. */
export interface MemberVersion extends Partial<ServerVersion> {
  readonly member: Member;
  /** The URL that was asked; absent when none of the member's can be used. */
  readonly endpoint?: string;
  readonly error?: EtcdError;
}

/** Reads the answer to `/version`: JSON since etcd 2.0, before that a text as `etcd v0.2.0`. */
export function readVersion(body: string): ServerVersion | undefined {
  // What is longer is no release, and not worth a look.
  if (body.length > longestVersion) return undefined;
  const json = parseJson(body);
  const etcdcluster = textIn(json, 'etcdcluster') ?? '';
  const etcdserver =
    textIn(json, 'etcdserver') ??
    // 2.0 itself, and the last of 0.4.
    textIn(json, 'releaseVersion') ??
    /^etcd v?(\d+\.\d+\S*)\s*$/.exec(body)?.[1];
  if (etcdserver === undefined) return undefined;
  // A member that starts says `not_decided`.
  return { etcdserver, ...(/^\d/.test(etcdcluster) ? { etcdcluster } : {}) };
}

/** Of a body of `/version`, in characters: etcd's own has some 50. */
const longestVersion = 500;

/** Compares releases; a pre-release (`0.2.0-rc1`) comes before its release. One that is not known is before none. */
export function isBefore(version: string | undefined, since: string): boolean {
  const own = numbers(version ?? '');
  const wanted = numbers(since);
  if (own === undefined || wanted === undefined) return false;
  const differs = own.findIndex((n, i) => n !== wanted[i]);
  if (differs >= 0) return (own[differs] ?? 0) < (wanted[differs] ?? 0);
  return version?.includes('-') ?? false;
}

function numbers(version: string): number[] | undefined {
  const found = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return found === null ? undefined : [1, 2, 3].map((i) => Number(found[i] ?? 0));
}
