import type { MemberInfo } from './member.js';

/** Members of one cluster that are believed; etcd's own advice is seven at most. */
const maxMembers = 64;
/** URLs of one member that are believed. */
const maxUrls = 8;

/** What is believed of a member list, and what is not, in a few words (empty: all of it is). */
export interface Believed {
  readonly members: readonly MemberInfo[];
  readonly ignored: string;
}

/**
 * Bounds what one answer can make a client do: each member costs a place in every state, each URL a probe at every
 * heartbeat.
 */
export function believe(told: readonly MemberInfo[]): Believed {
  const members = told.slice(0, maxMembers).map((member) => {
    const { clientURLs, peerURLs } = member;
    if (clientURLs.length <= maxUrls && peerURLs.length <= maxUrls) return member;
    return { ...member, clientURLs: clientURLs.slice(0, maxUrls), peerURLs: peerURLs.slice(0, maxUrls) };
  });
  const urls = told.slice(0, maxMembers).reduce((n, { clientURLs }) => n + clientURLs.length, 0);
  const kept = members.reduce((n, { clientURLs }) => n + clientURLs.length, 0);
  const words = [
    ...(told.length > maxMembers ? [`${told.length - maxMembers} of ${told.length} members`] : []),
    ...(urls > kept ? [`${urls - kept} of ${urls} client URLs`] : []),
  ];
  return { members, ignored: words.join(', ') };
}

/** The origin of an http or https URL; undefined for any other text. */
export function originOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin, protocol } = new URL(url);
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
}
