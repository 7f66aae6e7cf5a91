import { jsonSyntaxError } from '../go/json-syntax.js';
import { fieldsOf } from '../go/read-json.js';
import { MembershipError } from './membership.js';

/** The one field that etcd reads; as with every name, Go does not ask for its case. */
const peerURLs = /^peerURLs$/iu;
const struct = 'value of type struct { PeerURLs []string "json:\\"peerURLs\\"" }';
/** Half a surrogate pair, which Go reads as U+FFFD. */
const lone = /\p{Surrogate}/gu;

/** The URLs in the body of a request that adds or changes a member; throws `MembershipError` in Go's words. */
export function readMembersBody(body: Buffer): string[] {
  const fault = jsonSyntaxError(body.toString('latin1'));
  if (fault !== undefined) throw new MembershipError(400, fault);
  const text = body.toString().trim();
  if (text === 'null') return [];
  if (!text.startsWith('{')) throw wrongType(JSON.parse(text), struct);
  const lists = fieldsOf(text)
    .filter(([name]) => peerURLs.test(name))
    .map(([, value]) => value);
  const problem = lists.map(problemOf).find((found) => found !== undefined);
  if (problem !== undefined) throw problem;
  // The last one counts; `null` is no list and leaves none.
  const last = lists.at(-1) as (string | null)[] | null | undefined;
  return (last ?? []).map((url) => (url ?? '').replace(lone, '\ufffd'));
}

/** The first thing in a list that is no text. */
function problemOf(value: unknown): MembershipError | undefined {
  if (value === null) return undefined;
  if (!Array.isArray(value)) return wrongType(value, 'struct field .peerURLs of type []string');
  const wrong: unknown = value.find((entry) => entry !== null && typeof entry !== 'string');
  return wrong === undefined ? undefined : wrongType(wrong, 'struct field .peerURLs of type string');
}

const wrongType = (value: unknown, wanted: string): MembershipError =>
  new MembershipError(400, `json: cannot unmarshal ${goNameOf(value)} into Go ${wanted}`);

const goNameOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
