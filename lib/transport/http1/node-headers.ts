/**
 * What every request of Node's says, unless told otherwise: answers are read as they are. (A browser does not let a page
 * say it, and reads them all.)
 */
export const nodeHeaders: Readonly<Record<string, string>> = { 'accept-encoding': 'identity' };
