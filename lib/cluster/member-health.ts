import { isRecord } from '../check.js';
import type { EtcdError } from '../errors.js';
import { parseJson, wordIn } from '../transport/parse-json.js';
import { defined } from '../util/defined.js';
import type { Member } from './member.js';
import { foreignFault, whatElse, type ServerAnswer } from './server-answer.js';

/** One member's health. */
export interface MemberHealth {
  readonly member: Member;
  /** The URL that was asked; absent when none of the member's can be used. */
  readonly endpoint?: string;
  /** The member answers and has a leader through which it can read. */
  readonly healthy: boolean;
  /** Why not, where the member says so; of a healthy one, why this client cannot use it: it has no v2 API. */
  readonly reason?: string;
  /** Why there is no answer. */
  readonly error?: EtcdError;
}

/** What a member says of its own health. */
export type Health = Pick<MemberHealth, 'healthy' | 'reason'>;

/** `{"health":"true"}`: the word is a string, and etcd 3.5 adds a reason. A 503 is an answer, too. */
export function healthOf(answer: ServerAnswer): Health {
  const { status, body } = answer;
  const json = parseJson(body);
  // Every etcd that has this path serves it, with the v2 API or without: what does not is no etcd.
  if (!isRecord(json) || !isWord(json['health']) || (status !== 200 && status !== 503))
    throw foreignFault(answer, whatElse(body));
  const { health } = json;
  return defined({
    healthy: status === 200 && (health === 'true' || health === true),
    reason: wordIn(json, 'reason'),
  });
}

const isWord = (health: unknown): boolean => typeof health === 'string' || typeof health === 'boolean';
