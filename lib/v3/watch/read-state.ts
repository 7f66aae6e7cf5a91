import { defer, EMPTY, expand, map, retry, timer, toArray, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import { backoff } from '../../util/backoff.js';
import { keyValue, type KeyValue } from '../model/key-value.js';
import type { Answer } from '../wire/messages.js';
import type { LegSite } from './leg-site.js';
import { memberRange$ } from './member-range.js';

/** All that stands in a range at one revision. */
export interface State {
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
  readonly clusterId: string | undefined;
}

/** So many keys are asked for at once. */
const pageSize = 1_000;
/** What is read page by page may be compacted meanwhile, and is read anew so many times at most. */
const mostReads = 5;
/** gRPC's code for a revision that is not, or no longer, to be had. */
const outOfRange = 11;

interface Page {
  readonly answer: Answer<'RangeResponse'>;
  /** That of the first page, and so of all. */
  readonly revision: number;
}

/** Reads what stands in the range of a watch, by a linearizable read at its member; emits once. */
export function readState$({
  context,
  endpoint,
  target,
}: Omit<LegSite, 'start' | 'stay'>): Observable<State> {
  const page$ = (key: Uint8Array, at?: number): Observable<Page> =>
    memberRange$(context, endpoint, { ...target.bounds, key, limit: pageSize, revision: at }).pipe(
      map((answer) => ({ answer, revision: at ?? answer.header?.revision ?? 0 })),
    );
  return defer(() => page$(target.bounds.key)).pipe(
    expand(({ answer: { kvs, more }, revision }) => {
      const last = kvs.at(-1);
      return more && last !== undefined ? page$(keyAfter(last.key), revision) : EMPTY;
    }),
    toArray(),
    map((pages): State => {
      const [first] = pages;
      return {
        kvs: pages.flatMap(({ answer: { kvs } }) => kvs.map(keyValue)),
        revision: first?.revision ?? 0,
        clusterId: first?.answer.header?.cluster_id,
      };
    }),
    retry({
      count: mostReads - 1,
      delay: (error: unknown, n) => {
        if (!(error instanceof Fault) || error.config.errorCode !== outOfRange) throw error;
        return timer(backoff(n - 1, context.settings.retry));
      },
    }),
  );
}

/** The first key behind that one: nothing is between the two. */
function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}
