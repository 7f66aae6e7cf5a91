import { map, type Observable } from 'rxjs';
import { keyValue, type KeyValue } from '../model/key-value.js';
import { allOf$, pages$ } from '../paging.js';
import type { LegSite } from './leg-site.js';
import { memberRange$ } from './member-range.js';

/** All that stands in a range at one revision. */
export interface State {
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
  readonly clusterId: string | undefined;
}

/** Reads what stands in the range of a watch, by linearizable reads at its member; emits once. */
export function readState$({
  context,
  endpoint,
  target,
}: Omit<LegSite, 'start' | 'stay'>): Observable<State> {
  const paged$ = pages$(target.bounds, (request) =>
    memberRange$(context, endpoint, request).pipe(map((answer) => ({ answer }))),
  );
  return allOf$(paged$, context.settings.retry).pipe(
    map((pages): State => {
      const { header } = pages[0]?.answer ?? {};
      return {
        kvs: pages.flatMap(({ answer: { kvs } }) => kvs.map(keyValue)),
        revision: header?.revision ?? 0,
        clusterId: header?.cluster_id,
      };
    }),
  );
}
