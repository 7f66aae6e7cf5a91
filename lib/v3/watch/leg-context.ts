import type { Observable } from 'rxjs';
import type { Settings } from '../../options.js';
import type { Secrets } from '../../transport/secrets.js';
import type { WatchContext } from '../../watch/watch-context.js';
import type { HighWater } from '../high-water.js';
import type { Answer, Message } from '../wire/messages.js';
import type { WatchStreams } from './watch-streams.js';

/** What the legs of all watches of a client share. */
export interface LegContext extends WatchContext {
  readonly settings: Pick<Settings, 'retry'>;
  readonly streams: WatchStreams;
  readonly highWater: HighWater;
  /** Hides the client's credentials in what is told. */
  readonly secrets: Secrets;
  /** Reads a range at that member, and nowhere else. */
  readonly range$: (
    endpoint: string,
    request: Message<'RangeRequest'>,
  ) => Observable<Answer<'RangeResponse'>>;
}
