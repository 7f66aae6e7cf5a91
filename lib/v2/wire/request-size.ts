import { InvalidOptionError } from '../../errors.js';
import type { Settings } from '../../options.js';
import { keyPath } from './key-path.js';
import { encodeParams, type Params } from './params.js';

/** etcd parses no form above this size, bytes. */
const maxForm = 10 * 1024 * 1024;
/** etcd resets a plain connection whose first request line is longer, bytes with its line end. */
const maxRequestLine = 4096;

/** Encodes a form; refuses one that etcd would not parse, naming its largest parameter. */
export function encodeForm(form: Params): string {
  const encoded = encodeParams(form);
  const size = encoded.length;
  if (size <= maxForm) return encoded;
  const [largest = 'value'] = Object.entries(form)
    .map(([name, value]) => [name, String(value).length] as const)
    .sort(([, a], [, b]) => b - a)
    .map(([name]) => name);
  throw new InvalidOptionError(
    largest,
    form[largest],
    `a form of at most ${maxForm} bytes when encoded (it would be ${size})`,
  );
}

/**
 * Refuses a request line that etcd would answer with a reset, on plain http. Whether it does depends on the
 * connection, so that a reset would look like a failing member.
 *
 * @param blame the argument that makes it long, with its value and a hint
 */
export function demandRequestLine(
  { endpoints }: Pick<Settings, 'endpoints'>,
  method: string,
  path: string,
  blame: { option: string; value: string; hint?: string },
): void {
  const size = method.length + path.length + ' '.length * 2 + 'HTTP/1.1\r\n'.length;
  if (size <= maxRequestLine || !endpoints.some((url) => url.startsWith('http:'))) return;
  const limit = `a request line of at most ${maxRequestLine} bytes over plain http`;
  throw new InvalidOptionError(
    blame.option,
    blame.value,
    `${limit} (it would be ${size})${blame.hint ?? ''}`,
  );
}

/** The longest that a call without a prevValue adds to a key's path. */
const longestRest = `/_rxetcd?wait=true&recursive=true&sorted=true&quorum=true&waitIndex=${Number.MAX_SAFE_INTEGER}`;

/** Even encoded, with nine characters for each, so few fit into any line. */
const surelyShort = 400;

/**
 * Refuses a key that one call could write and another not read, watch or delete.
 *
 * @param made what etcd appends to the key
 */
export function demandKey(settings: Pick<Settings, 'endpoints'>, key: string, made = ''): void {
  if (key.length < surelyShort) return;
  demandRequestLine(settings, 'DELETE', keyPath(key) + made + longestRest, { option: 'key', value: key });
}
