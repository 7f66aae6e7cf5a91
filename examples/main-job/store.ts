import type { BaseClient } from 'rxetcd';
import type { Observable } from 'rxjs';

/** What a watch has told: at which place, if it is a change, and in words. */
export interface Told {
  readonly place?: number;
  readonly line: string;
}

/** A client of either API, as far as the main job needs it. Places are revisions of v3, indexes of v2. */
export interface Store {
  readonly client: BaseClient;
  /** Makes room below that prefix; emits the place from which on a watch is to see everything. */
  begin$(prefix: string): Observable<number>;
  /** One write, of one key or of several at once; emits its place. */
  write$(prefix: string, n: number): Observable<number>;
  watch$(prefix: string, from: number): Observable<Told>;
  /** Removes all that is below the prefix. */
  end$(prefix: string): Observable<unknown>;
}
