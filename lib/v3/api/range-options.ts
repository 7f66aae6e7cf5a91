import { check, checkOptions, demand, type Check } from '../../check.js';
import type { CallOptions } from '../../options.js';
import { boundsOf, type KeyRange } from '../model/key-range.js';
import type { Message } from '../wire/messages.js';
import { keysCheck, readChecks, revisionCheck } from './kv-calls.js';

/** Options of the reads of one key, and of `count$`. */
export interface GetOptions extends CallOptions {
  /**
   * Any member answers from what it has, without asking a majority: faster, also without a quorum, and perhaps older; never
   * older than what this client has seen. Default false.
   */
  serializable?: boolean | undefined;
  /** The revision that is read; errors with CompactedError or FutureRevisionError if there is none. Default: the newest. */
  revision?: number | undefined;
}

/** In which order keys are read. */
export interface Sort {
  /** What they are compared by; keys and values by their bytes. */
  by: 'key' | 'version' | 'createRevision' | 'modRevision' | 'value';
  /** Default `'ascending'`. */
  order?: 'ascending' | 'descending' | undefined;
}

/** Which keys of a range are read, and what of them. */
export interface Selection {
  /** Reads keys with their revisions, and no values. Default false. */
  keysOnly?: boolean | undefined;
  /** Those alone whose last change was at this revision or later. */
  minModRevision?: number | undefined;
  /** Those alone whose last change was at this revision or before. */
  maxModRevision?: number | undefined;
  /** Those alone that were created at this revision or later. */
  minCreateRevision?: number | undefined;
  /** Those alone that were created at this revision or before. */
  maxCreateRevision?: number | undefined;
}

/** Options of `range$`. */
export interface RangeOptions extends GetOptions, Selection {
  /** So many keys at most, the first ones by `sort`; 1 or more. Default: all. */
  limit?: number | undefined;
  /** Default: by key, ascending. */
  sort?: Sort | undefined;
}

/** Options of `pages$`. */
export interface PagesOptions extends GetOptions, Selection {
  /** Keys in a page; 1 or more. Default 1000. */
  size?: number | undefined;
}

const selectionChecks: Record<string, Check> = {
  ...readChecks,
  keysOnly: check.boolean,
  minModRevision: revisionCheck,
  maxModRevision: revisionCheck,
  minCreateRevision: revisionCheck,
  maxCreateRevision: revisionCheck,
};
/** The checks of the options of `range$`. */
export const rangeChecks: Record<string, Check> = {
  ...selectionChecks,
  limit: keysCheck,
  sort: check.object,
};
/** The checks of the options of `pages$`. */
export const pagesChecks: Record<string, Check> = { ...selectionChecks, size: keysCheck };
const targets = {
  key: 'KEY',
  version: 'VERSION',
  createRevision: 'CREATE',
  modRevision: 'MOD',
  value: 'VALUE',
} as const;
const byCheck = check.oneOf(...Object.keys(targets));
const sortChecks: Record<string, Check> = { by: byCheck, order: check.oneOf('ascending', 'descending') };

/** The part of a request that says which keys are meant, and what of them. */
export const selected = (options: GetOptions & Selection): Message<'RangeRequest'> => ({
  serializable: options.serializable,
  revision: options.revision,
  keys_only: options.keysOnly,
  min_mod_revision: options.minModRevision,
  max_mod_revision: options.maxModRevision,
  min_create_revision: options.minCreateRevision,
  max_create_revision: options.maxCreateRevision,
});

/** A read of a range as etcd is asked for it, of options that were checked; `path` is where it stands, as `then[0].`. */
export function rangeRequest(range: KeyRange, options: RangeOptions, path = ''): Message<'RangeRequest'> {
  const { sort, limit } = options;
  return {
    ...selected(options),
    ...orderOf(sort, `${path}sort.`),
    limit,
    ...boundsOf(`${path}range`, range),
  };
}

/** The order of a request; nothing for that in which etcd keeps its keys. */
function orderOf(sort: Sort | undefined, path: string): Message<'RangeRequest'> | undefined {
  if (sort === undefined) return undefined;
  checkOptions(path, sort, sortChecks);
  demand(`${path}by`, sort.by, byCheck);
  const { by, order = 'ascending' } = sort;
  if (by === 'key' && order === 'ascending') return undefined;
  return { sort_target: targets[by], sort_order: order === 'ascending' ? 'ASCEND' : 'DESCEND' };
}
