import type { Observable } from 'rxjs';
import type { ConnectionSlots } from '../../watch/connection-slots.js';
import type { V2Context } from '../context.js';
import type { Pace } from './pace.js';
import type { StoreIndex } from './read-index.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends V2Context {
  /** The store's index from time to time. */
  readonly storeIndex$: Observable<StoreIndex>;
  readonly pace: Pace;
  /** Endpoints whose headers cannot be read. */
  readonly blind: Set<string>;
  /** Endpoints whose polls show their headers at once, where that is not sure. */
  readonly prompt: Set<string>;
  /** Polls where connections are scarce. */
  readonly slots: ConnectionSlots;
}
