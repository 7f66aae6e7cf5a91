import { UnsupportedByServerError } from '../../errors.js';
import { parseJson, textIn } from '../../transport/parse-json.js';

/** Which releases an etcd server runs (`GET /version`). */
export interface ServerVersion {
  /** The release of the member that answered, as `3.4.23`. */
  readonly etcdserver: string;
  /** The release that the cluster works as, as `3.4.0`; absent before etcd 2.1. */
  readonly etcdcluster?: string;
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

/** Why a server of this release has no v2 API, or a path of it is not there. */
export function absence(version: string | undefined): string {
  if (version !== undefined && isOld(version)) return `etcd ${version} has no such call`;
  const who = version === undefined ? 'the server' : `this server (etcd ${version})`;
  return `${who} has no v2 API (start etcd 3.4 or 3.5 with --enable-v2=true; 3.6 and later have the v3 API alone)`;
}

/** True for the releases whose v2 API cannot be switched off. */
export const isOld = (version: string | undefined): boolean => isBefore(version, '3.0.0');

/** True for the releases before 2.0, which speak the same API in another way. */
export const isLegacy = (version: string | undefined): boolean => version?.startsWith('0.') ?? false;

/** Since 2.3 a live stream can be trusted, within bounds; a release that is not known is not. */
export const canStream = (version: string | undefined): boolean =>
  version !== undefined && !isBefore(version, '2.3.0');

/**
 * From 2.3.0 to 3.0.17 the history of a key and all below it shows the key itself only if its event is the first one looked
 * at; a release that is not known may be one of these.
 */
export const mayOverlook = (version: string | undefined): boolean =>
  version === undefined || (!isBefore(version, '2.3.0') && isBefore(version, '3.1.0'));

/** Before 0.3 a watch gets no headers until its event. */
export const isSilentWatcher = (version: string | undefined): boolean => isBefore(version, '0.3.0');

/**
 * What destroys data on a server that lacks it, because such a server ignores the condition: since when it can be
 * trusted, and what would happen before.
 */
const features = {
  compareAndDelete: ['0.3.0', 'it would delete without comparing'],
  refresh: ['2.3.0', 'it would wipe the value'],
  emptyValue: ['0.2.0', 'an empty value would make a directory'],
  root: ['0.2.0', 'a write to / would destroy the store'],
  createInOrder: ['0.2.0', 'it would turn a file into a directory'],
  updateDirWithoutTtl: ['2.0.0', 'it demands a ttl'],
} as const;

/** Something that not every release of etcd can do safely. */
export type Feature = keyof typeof features;

/** Refuses what the release would do wrong; one that is not known is taken for a modern one. */
export function demandFeatures(
  operation: string,
  version: string | undefined,
  needed: readonly Feature[],
): void {
  for (const feature of needed) {
    const [since, otherwise] = features[feature];
    if (isBefore(version, since))
      throw new UnsupportedByServerError(
        `${operation}: etcd ${version ?? ''} cannot do this (${otherwise}); etcd ${since} and later can`,
      );
  }
}

/** Before 0.4 an update without `ttl` keeps the one that the key has, where all others remove it. */
export const keepsTtl = (version: string | undefined): boolean => isBefore(version, '0.4.0');

/** Compares releases; a pre-release (`0.2.0-rc1`) comes before its release. */
function isBefore(version: string | undefined, since: string): boolean {
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
