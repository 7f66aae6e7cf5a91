/** A browser tells nobody why a connection failed. */
export const socketFailure = (): undefined => undefined;
