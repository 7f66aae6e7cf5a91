/** Parameters of a request; undefined and false ones are left out, as etcd asks of flags. */
export type Params = Readonly<Record<string, string | number | boolean | undefined>>;

/** Encodes parameters as a query or a form. */
export function encodeParams(params: Params): string {
  return Object.entries(params)
    .filter(
      (entry): entry is [string, string | number | true] => entry[1] !== undefined && entry[1] !== false,
    )
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

/** A path with its query. */
export function withQuery(path: string, params: Params): string {
  const query = encodeParams(params);
  return query === '' ? path : `${path}?${query}`;
}
