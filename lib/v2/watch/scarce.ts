import type { LegContext } from './leg-context.js';

/** Whether few polls may be parked at an endpoint: in a browser, or where headers cannot be read. */
export const isScarce = ({ transport, headers }: LegContext, endpoint: string): boolean =>
  transport.abilities.connectionsPerHost < Infinity || headers.areHidden(endpoint);
