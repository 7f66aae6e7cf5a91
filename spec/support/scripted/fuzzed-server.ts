import { inspect } from 'node:util';
import { EtcdClient, EtcdError, InvalidOptionError, isInvalidOption, isOutcomeUnknown } from 'rxetcd';
import { filter, firstValueFrom, merge, take, throwError, timeout, type Observable } from 'rxjs';
import { bareRequests } from '../etcd/bare-request.js';
import { timeLimit } from '../values/for-all.js';
import { serverUnderTest } from '../etcd/server-under-test.js';

/** What TypeScript would refuse. */
export const bad = (v: unknown): never => v as never;

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: EtcdError };

/** Nothing else is to be explained on a healthy server of a machine that does not stall. */
export const expectedCodes = ['API_ERROR', 'INVALID_OPTION', 'UNSUPPORTED_BY_SERVER'];

/** A call of the client, longer than etcd's own request may take, ms. */
const deadline = 14_000;
/** etcd gives up what it could not commit within 5 s and two elections, ms. */
const etcdsLimit = 5_000;

/**
 * Whether etcd itself has given up the write, as on a machine that stalls. Nobody knows then what becomes of it: that the client
 * says so is right, whatever the input.
 */
function wasGivenUp(error: EtcdError): boolean {
  const { status, body = '', durationMs = 0 } = error.attempts.at(-1) ?? {};
  return (
    isOutcomeUnknown(error) &&
    status === 500 &&
    durationMs >= etcdsLimit &&
    // The keys tell the cause, the members do not.
    /etcdserver: request timed out|"Internal Server Error"/.test(body)
  );
}

/**
 * One etcd for a spec file that throws anything at it, and what judges how it takes that.
 *
 * Whatever is thrown at a call, it succeeds and what was written reads back byte for byte, or it ends in an error of
 * the client's own family; and what the client can refuse is never sent.
 */
export function fuzzedServer() {
  jest.setTimeout(timeLimit);
  const server = serverUnderTest();
  const bare = bareRequests(() => server.url);
  let client: EtcdClient;
  /** Requests of the client so far, probes aside. */
  let sent = 0;
  let names = 0;

  /** A key that nothing else uses. */
  const fresh = (): string => `/fuzz-${String((names += 1))}`;

  beforeEach(() => {
    client = server.client({ deadline });
    sent = 0;
    const requests = client.events$
      .pipe(filter((event) => event.type === 'request' && event.operation !== 'probe'))
      .subscribe(() => (sent += 1));
    server.afterwards(() => requests.unsubscribe());
  });

  afterEach(async () => {
    // Whatever it was given, the server still works, for a client of any kind.
    const key = fresh();
    await expect(bare('PUT', key, { value: key })).resolves.toMatchObject({ status: 201 });
    const other = new EtcdClient(server.url, { deadline });
    await expect(firstValueFrom(other.getValue$(key, { quorum: true }))).resolves.toBe(key);
    other.close();
  });

  /** How a call ends: anything but a value or an expected error fails the property, as does a throw at the caller. */
  async function outcome<T>(call: () => Observable<T>, codes = expectedCodes): Promise<Outcome<T>> {
    const before = sent;
    const call$ = call();
    const hang = () => throwError(() => new Error('no end within 20 s'));
    let error: unknown;
    try {
      return { ok: true, value: await firstValueFrom(call$.pipe(timeout({ first: 20_000, with: hang }))) };
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof EtcdError)) throw new Error('no error of the client', { cause: error });
    if (!codes.includes(error.code) && !wasGivenUp(error))
      throw new Error(`${error.code} is not explained`, { cause: error });
    if (error instanceof InvalidOptionError) {
      expect(error.attempts).toEqual([]);
      expect(error.message).not.toContain('\n');
      expect(error.message.length).toBeLessThan(1_000);
      expect(sent - before).toBe(0);
    }
    // However odd what it tells of, it can be printed.
    expect(typeof (inspect(error) + JSON.stringify(error) + String(error))).toBe('string');
    return { ok: false, error };
  }

  /** A refusal if the input is bad, anything else if it is not. */
  async function judge<T>(call: () => Observable<T>, good: boolean): Promise<Outcome<T>> {
    const result = await outcome(call);
    if (!result.ok && isInvalidOption(result.error) === good) throw result.error;
    if (result.ok && !good) throw new Error('accepted', { cause: result.value });
    return result;
  }

  /** The value of a call that must succeed. */
  const succeed = async <T>(call$: Observable<T>): Promise<T> => {
    const result = await outcome(() => call$);
    if (!result.ok) throw result.error;
    return result.value;
  };

  /** etcd's number of the error that a call must end in. */
  const failure = async (call$: Observable<unknown>): Promise<unknown> => {
    const result = await outcome(() => call$);
    if (result.ok) throw new Error('succeeded', { cause: result.value });
    return (result.error as Partial<{ errorCode: number }>).errorCode ?? result.error.code;
  };

  /** A watch until it stands or has told something; one that joins another stands at once. */
  const start = <T>(watch$: Observable<T>): Observable<unknown> =>
    merge(
      client.events$.pipe(filter((event) => event.type === 'watch-live')),
      watch$,
      client.watches$.pipe(filter((open) => open.length > 0 && open.every(({ state }) => state === 'live'))),
    ).pipe(take(1));

  return {
    server,
    get client() {
      return client;
    },
    bare,
    fresh,
    outcome,
    judge,
    succeed,
    failure,
    start,
  };
}
