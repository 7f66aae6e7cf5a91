import { catchError, defer, type Observable } from 'rxjs';
import { Fault } from '../../cluster/fault.js';
import { EtcdErrorCode, isAllNodesDown, isEtcdApiError, StaleReadError } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import { within } from '../../cluster/deadline.js';
import type { KeyResponse, ResponseInfo } from '../model/model.js';
import type { Watermark } from '../watermark.js';

/** Makes one read: of any member, of the leader, or with quorum. What `check` throws is its failure. */
type Read = (
  operation: 'get' | 'quorumGet',
  settings: CallSettings,
  leader: boolean,
  check: (info: ResponseInfo) => void,
) => Observable<KeyResponse>;

/** Who is asked, one after the other. */
const ways = [
  { operation: 'get', leader: false },
  { operation: 'get', leader: true },
  { operation: 'quorumGet', leader: true },
] as const;

/**
 * A read that does not go back in time: an answer (a "not found" too) below the highest index seen when the read was
 * subscribed is asked again, of the leader, then with quorum, and else ends in StaleReadError. Index 0, which a member
 * tells while it replays its log, is below any. An answer whose headers cannot be read (as in a browser) is taken as it is.
 */
export function freshRead$(
  watermark: Watermark,
  operation: string,
  settings: CallSettings,
  quorum: boolean,
  read: Read,
): Observable<KeyResponse> {
  return defer(() => {
    const mark = watermark.mark;
    const { etcdIndex: seen } = mark;
    const startedAt = performance.now();
    const own = quorum ? ways.slice(-1) : ways;
    // A watermark below what was seen has started anew, with another cluster.
    const isStale = (index: number | undefined): index is number =>
      index !== undefined && index < Math.min(seen, watermark.value);
    const check = (info: ResponseInfo): void => {
      const index = indexOf(info);
      if (!isStale(index)) return;
      const toError = (): StaleReadError => new StaleReadError(operation, index, seen);
      throw new Fault({ summary: `stale: index ${index}`, status: info.status, toError });
    };
    const ask = (step: number, staleIndex: number): Observable<KeyResponse> => {
      const way = own[step];
      if (way === undefined) {
        // Not even a majority knows what was seen: the cluster was rebuilt. Say so once, then go on with it. No index at
        // all is that of no cluster.
        if (staleIndex > 0) watermark.restart(mark, { etcdIndex: staleIndex });
        throw new StaleReadError(operation, staleIndex, seen);
      }
      const limits = step === 0 ? settings : within(settings, startedAt);
      return read(way.operation, limits, way.leader, check).pipe(
        catchError((error: unknown) => {
          const index = toldBy(error);
          if (isStale(index)) return ask(step + 1, index);
          throw step > 0 && isAllNodesDown(error)
            ? new StaleReadError(operation, staleIndex, seen, error)
            : error;
        }),
      );
    };
    return ask(0, 0);
  });
}

/** The store's index by an answer's headers; 0 if it is missing among those that can be read. */
const indexOf = ({ etcdIndex, raftIndex, clusterId }: ResponseInfo): number | undefined =>
  etcdIndex ?? (raftIndex === undefined && clusterId === undefined ? undefined : 0);

/** Refusals that tell of the store; whatever else carries the index 0 was made without a look at it. */
const toldByStore: ReadonlySet<number> = new Set([EtcdErrorCode.KeyNotFound, EtcdErrorCode.NotDirectory]);

/** The index at which a read failed, if it tells of one. */
function toldBy(error: unknown): number | undefined {
  if (error instanceof StaleReadError) return error.index;
  if (!isEtcdApiError(error)) return undefined;
  return error.index > 0 || toldByStore.has(error.errorCode) ? error.index : undefined;
}
