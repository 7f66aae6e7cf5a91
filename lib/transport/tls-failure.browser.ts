/** A browser tells nobody why a connection failed. */
export const tlsFailure = (): undefined => undefined;
