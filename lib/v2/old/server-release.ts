import { isBefore } from '../../cluster/server-version.js';
import { UnsupportedByServerError } from '../../errors.js';

/** Why a server of this release has no v2 API, or a path of it is not there. */
export function absence(version: string | undefined): string {
  if (version !== undefined && isOld(version)) return `etcd ${version} has no such call`;
  const who = version === undefined ? 'the server' : `this server (etcd ${version})`;
  return `${who} has no v2 API (import from 'rxetcd/v3', or start etcd 3.4 or 3.5 with --enable-v2=true)`;
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
