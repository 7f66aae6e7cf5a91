import type { Observable } from 'rxjs';
import type { LegContext } from './leg-context.js';
import type { LegItem, LegStart } from './leg-item.js';
import type { Place } from './place.js';
import { pollLeg$ } from './poll-leg.js';
import type { Target } from './target.js';

/** In a browser, which keeps few connections open, every leg is a long poll: a bundle leaves the live stream out. */
export const streamLeg$ = (
  context: LegContext,
  target: Target,
  endpoint: string,
  { cursor }: Place,
  start: LegStart,
): Observable<LegItem> => pollLeg$(context, target, endpoint, cursor, start);
