import { eventually } from '../jest/eventually.js';
import { gatewayCall } from './watch-bed.js';

/** A change of the store, as a member tells it to whoever replays it all, without the library. */
export interface Change {
  readonly revision: number;
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Of a put. */
  readonly value: string;
  /** How often the key was written since it was created; 0 of a delete. */
  readonly version: number;
}

/** As the gateway tells it. */
interface Told {
  readonly result?: {
    readonly canceled?: boolean;
    readonly events?: readonly {
      readonly type?: 'DELETE';
      readonly kv: {
        readonly key: string;
        readonly value?: string;
        readonly version?: string;
        readonly mod_revision: string;
      };
    }[];
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (bytes = ''): string => Buffer.from(bytes, 'base64').toString();
/** A call past the library is given up after this time, ms. */
const limitMs = 2_000;

/** Puts a key at the first member that takes it; resolves with the revision. */
export async function mark(endpoints: readonly string[], key: string, value: string): Promise<number> {
  return eventually(async () => {
    for (const endpoint of endpoints) {
      const put = gatewayCall(endpoint, 'kv/put', { key: base64(key), value: base64(value) }, limitMs);
      const { header } = (await put.catch(() => ({}))) as { header?: { revision: string } };
      if (header !== undefined) return Number(header.revision);
    }
    throw new Error('no member takes a write');
  });
}

/**
 * All changes below a prefix, from one revision up to another at which there is one, in the order in which a member replays
 * them from its disk: the first that has them all.
 */
export function readHistory(
  endpoints: readonly string[],
  prefix: string,
  from: number,
  to: number,
): Promise<readonly Change[]> {
  return eventually(async () => {
    for (const endpoint of endpoints) {
      const changes = await replay(endpoint, prefix, from, to).catch(() => undefined);
      if (changes !== undefined) return changes;
    }
    throw new Error(`no member tells of ${prefix} up to ${to}`);
  });
}

async function replay(endpoint: string, prefix: string, from: number, to: number): Promise<Change[]> {
  const create_request = {
    key: base64(prefix),
    range_end: base64(prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)),
    start_revision: String(from),
  };
  const answer = await fetch(`${endpoint}/v3/watch`, {
    method: 'POST',
    body: JSON.stringify({ create_request }),
    signal: AbortSignal.timeout(limitMs),
  });
  const changes: Change[] = [];
  let rest = '';
  for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { result } = JSON.parse(line) as Told;
      if (result === undefined || result.canceled === true) throw new Error(line);
      changes.push(
        ...(result.events ?? []).map(({ type, kv }): Change => ({
          revision: Number(kv.mod_revision),
          type: type === 'DELETE' ? 'delete' : 'put',
          key: text(kv.key),
          value: text(kv.value),
          version: Number(kv.version ?? 0),
        })),
      );
    }
    if ((changes.at(-1)?.revision ?? 0) >= to) return changes.filter(({ revision }) => revision <= to);
  }
  throw new Error('it ended');
}
