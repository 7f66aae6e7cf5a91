import { isRecord } from '../../check.js';
import type { MemberInfo } from '../../cluster/member.js';
import { list, optional, record, text } from './shape.js';

const urls = optional(list(text));

/** What an answer that is one member has to look like. */
export const memberShape = record({ id: text, name: optional(text), clientURLs: urls, peerURLs: urls });
/** The same of a list of them. */
export const membersShape = record({ members: list(memberShape) });

/** A member as `/v2/members` writes it; a list that is null is empty. */
export function memberOf(json: Record<string, unknown>): MemberInfo {
  const word = (v: unknown): string => (typeof v === 'string' ? v : '');
  return {
    id: word(json['id']),
    name: word(json['name']),
    clientURLs: stringsOf(json['clientURLs']),
    peerURLs: stringsOf(json['peerURLs']),
  };
}

/** The members that an answer lists. */
export function membersOf(json: Record<string, unknown>): MemberInfo[] {
  const { members } = json;
  return (Array.isArray(members) ? members : [])
    .filter(isRecord)
    .map(memberOf)
    .filter((m) => m.id !== '');
}

/** A list of strings; etcd writes an empty one as null, or not at all. */
export const stringsOf = (v: unknown): string[] =>
  Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : [];
