import type { LegContext } from './leg-context.js';

/** Whether few polls may be parked at an endpoint: in a browser, or where headers cannot be read. */
export const isScarce = ({ transport, headers }: LegContext, endpoint: string): boolean =>
  transport.abilities.connectionsPerHost < Infinity || headers.areHidden(endpoint);

/**
 * Whether an idle poll there goes before its successor comes: where few may be parked; or where none shows that it stands, and
 * only its successor's answer can tell that its connection is dead.
 */
export const goesFirst = (context: LegContext, endpoint: string): boolean =>
  isScarce(context, endpoint) || context.headers.mayBeHeldBack(endpoint);
