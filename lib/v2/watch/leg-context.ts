import type { Observable } from 'rxjs';
import type { ConnectionSlots } from '../../watch/connection-slots.js';
import type { V2Context } from '../context.js';
import type { HeaderSupport } from './header-support.js';
import type { Pace } from './pace.js';
import type { StoreIndex } from './read-index.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends V2Context {
  /** The store's index from time to time. */
  readonly storeIndex$: Observable<StoreIndex>;
  readonly pace: Pace;
  readonly headers: HeaderSupport;
  /** Polls where connections are scarce. */
  readonly slots: ConnectionSlots;
}
