/** An error of the keys API, as the old stores make it. */
export class OldError extends Error {
  constructor(
    readonly code: number,
    readonly reason = '',
  ) {
    super(`${code} ${reason}`);
  }
}

/** Since 0.2.0; the release candidate has its own words. */
const messages: Record<number, string> = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  104: 'Not a directory',
  105: 'Key already exists',
  107: 'Root is read only',
  108: 'Directory not empty',
  201: 'PrevValue is Required in POST form',
  202: 'The given TTL in POST form is not a number',
  203: 'The given index in POST form is not a number',
  204: 'Value or TTL is required in POST form',
  209: 'Invalid field',
  300: 'Raft Internal Error',
  301: 'During Leader Election',
  401: 'The event in requested index is outdated and cleared',
};

const earlyMessages: Record<number, string> = {
  100: 'Key Not Found',
  101: 'Test Failed',
  102: 'Not A File',
  105: 'Already exists',
};

const statuses: Record<number, number> = {
  100: 404,
  101: 412,
  102: 403,
  105: 412,
  108: 403,
  300: 500,
  301: 500,
};

/** Status and body of an error; the release candidate knows only 400 and 500. */
export function errorAnswer(
  { code, reason }: OldError,
  index: number,
  early: boolean,
): { status: number; body: object } {
  const status = statuses[code] ?? 400;
  return {
    status: early && status < 500 ? 400 : status,
    body: {
      errorCode: code,
      message: (early ? earlyMessages[code] : undefined) ?? messages[code],
      ...(reason === '' ? {} : { cause: reason }),
      index,
    },
  };
}
