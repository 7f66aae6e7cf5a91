/** How often each endpoint was tried in vain. */
export type Tried = ReadonlyMap<string, number>;

/** Most calls and watches never fail: they keep no map of their own. */
export const untried: Tried = new Map();

/** The same, with one more try at that endpoint. */
export const triedOnceMore = (tried: Tried, endpoint: string): Tried =>
  new Map([...tried, [endpoint, (tried.get(endpoint) ?? 0) + 1]]);
