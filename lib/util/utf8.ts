const encoder = new TextEncoder();
/** A byte order mark is a sign like others: left out, it would be lost. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text as UTF-8. */
export const toUtf8 = (text: string): Uint8Array => encoder.encode(text);

/** The text that these bytes are in UTF-8; what is none becomes U+FFFD. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
