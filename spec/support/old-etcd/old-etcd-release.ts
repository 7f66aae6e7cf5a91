/**
 * The releases that are imitated, oldest first. 0.2.0-rc1, 0.2.0, 0.4.9 and 2.3.8 were measured; 0.4.7 is taken for a 0.4.9,
 * 2.0.3 and 2.2.5 for a 2.3.8, but for what is written here.
 */
const oldReleases = ['0.2.0-rc1', '0.2.0', '0.4.7', '0.4.9', '2.0.3', '2.2.5', '2.3.8'] as const;

export type OldRelease = (typeof oldReleases)[number];

/** In what the old releases differ. */
export interface OldTraits {
  /** Before 2.0: members are names, followers redirect, `/v2/leader`. */
  readonly legacy: boolean;
  /** The node's fields stand in the answer itself, children are `kvs`; every error of the keys API is a 400. */
  readonly flat: boolean;
  /** Empty values are left out. */
  readonly omitsEmpty: boolean;
  readonly prevNode: boolean;
  readonly compareAndDelete: boolean;
  /** `quorum=true` means something. */
  readonly quorum: boolean;
  readonly refresh: boolean;
  /** Measured on 0.2.0 and its candidate: an update without a TTL leaves the one that is there. */
  readonly keepsTtl: boolean;
  /** The headers of a watch come at once, not with its event; hidden keys reach no recursive watch that waits. */
  readonly earlyHeaders: boolean;
  /** `stream=true`; what earlier releases make of it was not measured. */
  readonly streams: boolean;
  /** History tells a watch of a key that a directory above it is gone, as what comes live does. */
  readonly recallsAncestors: boolean;
  /** Up to 3.0.17 a recursive watch finds the key itself in history only if its event is the first one looked at. */
  readonly overlooksItself: boolean;
  /** `/v2/members/leader`. */
  readonly membersLeader: boolean;
  /** The store's index before the first write of a user. */
  readonly firstIndex: number;
}

export function traitsOf(release: OldRelease): OldTraits {
  const since = (first: OldRelease): boolean => oldReleases.indexOf(release) >= oldReleases.indexOf(first);
  return {
    legacy: !since('2.0.3'),
    flat: !since('0.2.0'),
    omitsEmpty: !since('0.4.7'),
    prevNode: since('0.4.7'),
    compareAndDelete: since('0.4.7'),
    quorum: since('0.4.7'),
    refresh: since('2.3.8'),
    keepsTtl: !since('0.4.7'),
    earlyHeaders: since('0.4.7'),
    streams: since('2.3.8'),
    recallsAncestors: since('2.3.8'),
    overlooksItself: since('2.3.8'),
    membersLeader: since('2.2.5'),
    firstIndex: since('2.0.3') ? 3 : since('0.4.7') ? 2 : 1,
  };
}

/** What `GET /version` answers; as their users published it for 0.4.7 and 2.0.3, measured for the others before 2.0 and for 2.3.8. */
export function versionBody(release: OldRelease): string {
  switch (release) {
    case '0.2.0-rc1':
    case '0.2.0':
      return `etcd v${release}`;
    case '0.4.9':
      return `etcd ${release}`;
    case '0.4.7':
      return `{"releaseVersion":"${release}","internalVersion":"1"}`;
    case '2.0.3':
      return `{"releaseVersion":"${release}","internalVersion":"2"}`;
    default:
      return `{"etcdserver":"${release}","etcdcluster":"${release.replace(/\d+$/, '0')}"}`;
  }
}
