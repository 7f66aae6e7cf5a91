/** Keys and servers may bring line breaks; a log's lines are its own. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
