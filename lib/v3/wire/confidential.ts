import type { HttpRequest } from '../../transport/http.js';

/** The bodies of such a request hold passwords and tokens. */
export const isConfidential = ({ path }: Pick<HttpRequest, 'path'>): boolean => path.startsWith('/v3/auth/');
