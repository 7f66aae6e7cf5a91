import type { LegContext } from './leg-context.js';

/** Whether few polls may be parked at an endpoint: in a browser, or where headers cannot be read. */
export const isScarce = ({ transport, blind }: LegContext, endpoint: string): boolean =>
  !transport.streams || blind.has(endpoint);
