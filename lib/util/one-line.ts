/**
 * Keys, names and servers may bring line breaks, escapes and signs that turn the direction of writing; a log's lines are its
 * own. Invisible signs go as well.
 */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ');
