import { isUtf8 } from 'node:buffer';

/** What a request says of its user. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const basic = /^basic ((?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?)$/i;

/** Reads an `Authorization` header; undefined if it is not a proper Basic one. */
export function readBasic(header: string): Credentials | undefined {
  const encoded = basic.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  // No name or password can be anything else.
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
