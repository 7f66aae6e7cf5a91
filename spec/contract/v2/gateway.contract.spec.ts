import axios from 'axios';
import {
  isAuthenticationError,
  isNotFound,
  isOutcomeUnknown,
  type ClientEvent,
  type ClientOptions,
  type WatchEvent,
} from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../../support/jest/eventually.js';
import { headlineOf } from '../../support/jest/headline.js';
import { startHttpTap, type HttpTap } from '../../support/proxies/http-tap.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';

/* What stands between a client and etcd, and answers in its place for a while. */
const server = serverUnderTest();
const signIn = '<!DOCTYPE html><title>Sign in</title>';

async function gateway(): Promise<HttpTap> {
  const tap = await firstValueFrom(startHttpTap(server.url));
  server.afterwards(() => firstValueFrom(tap.close$()));
  return tap;
}

const lossesIn = (events: readonly ClientEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'watch-lost' ? [event.reason] : []));

describe('a watch goes on behind a gateway that answers for a while', () => {
  test.each<[string, number, string]>([
    ['401 with a page', 401, signIn],
    ['401 with nothing', 401, ''],
    ['401 with JSON of its own', 401, '{"message":"Unauthorized"}'],
    ['403 with a page', 403, signIn],
    ['403 with JSON of its own', 403, '{"message":"Forbidden"}'],
    ['404 with a page', 404, '<html><h1>404 page not found</h1></html>'],
    ['404 as of an etcd without the v2 API', 404, '404 page not found\n'],
    ['404 with JSON of its own', 404, '{"message":"no Route matched with those values"}'],
    ['429', 429, 'Too Many Requests'],
    ['502', 502, '<html>Bad Gateway</html>'],
    ['503 with nothing', 503, ''],
    ['200 with a page', 200, signIn],
  ])('%s', async (_, status, body) => {
    const tap = await gateway();
    const key = server.key();
    const client = server.client({ endpoints: tap.url, discover: false, heartbeat: 200, deadline: 2_000 });
    const events: ClientEvent[] = [];
    client.events$.subscribe((event) => events.push(event));
    const seen: WatchEvent[] = [];
    const ended = jest.fn();
    client.watch$(key).subscribe({ next: (event) => seen.push(event), error: ended, complete: ended });
    await eventually(() => events.some(({ type }) => type === 'watch-live'));

    tap.instead = () => ({ status, body });
    tap.cut();
    await eventually(() => lossesIn(events).some((reason) => reason.startsWith(String(status))));
    const direct = server.client();
    await firstValueFrom(direct.set$(key, 'meanwhile'));
    tap.instead = () => undefined;
    await eventually(() => seen.length > 0, { within: 15_000 });
    await firstValueFrom(direct.set$(key, 'afterwards'));
    await eventually(() => seen.length > 1, { within: 15_000 });
    expect(seen.map(({ action, node }) => [action, node.value])).toEqual([
      ['set', 'meanwhile'],
      ['set', 'afterwards'],
    ]);
    expect(ended).not.toHaveBeenCalled();
  });
});

describe('what is not the word of etcd', () => {
  test.each<[number, string]>([
    [401, signIn],
    [401, ''],
    [401, '{"message":"Unauthorized"}'],
    [403, '{"message":"Forbidden"}'],
    [404, '{"message":"no Route matched with those values"}'],
  ])('is not taken for it: %i %s', async (status, body) => {
    const tap = await gateway();
    const client = server.client({ endpoints: tap.url, discover: false, deadline: 2_000 });
    await firstValueFrom(client.set$(server.key(), 'v'));
    tap.instead = () => ({ status, body });
    for (const call of [client.get$('/k'), client.getValue$('/k'), client.set$('/k', 'v')]) {
      const error = await rejectionOf(call);
      expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
      expect([isAuthenticationError(error), isNotFound(error)]).toEqual([false, false]);
    }
  });

  describe.each<[string, () => ClientOptions]>([
    ['undici', () => ({})],
    ["the user's axios", () => ({ axios: axios.create({ adapter: 'http' }) })],
  ])('a write that it answers goes out once: %s', (_, options) => {
    const statuses = [400, 403, 404, 407, 413, 421, 429, 431, 451];
    test.each(statuses)('%i: it was refused', async (status) => {
      const { tap, error, puts } = await answeredWith(status, options());
      expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE', attempts: [{ status }] });
      expect(headlineOf(error)).toBe(
        `set /k: unexpected answer: ${status}, no answer of etcd (HTML from ${tap.url})`,
      );
      expect(puts).toBe(1);
    });

    test.each([408, 425, 460, 499, 500, 502, 504])('%i: nobody knows', async (status) => {
      const { error, puts } = await answeredWith(status, options());
      expect(isOutcomeUnknown(error)).toBe(true);
      expect(puts).toBe(1);
    });
  });

  async function answeredWith(status: number, options: ClientOptions) {
    const tap = await gateway();
    const client = server.client({ ...options, endpoints: tap.url, discover: false, deadline: 3_000 });
    await firstValueFrom(client.set$(server.key(), 'v'));
    tap.requests.length = 0;
    tap.instead = ({ method }) => (method === 'PUT' ? { status, body: signIn } : undefined);
    const error = await rejectionOf(client.set$('/k', 'v'));
    return { tap, error, puts: tap.requests.filter(({ method }) => method === 'PUT').length };
  }

  test.each([421, 429])('a read is asked again after %i', async (status) => {
    const tap = await gateway();
    const client = server.client({ endpoints: tap.url, discover: false });
    const key = server.key();
    await firstValueFrom(client.set$(key, 'v'));
    for (const options of [{}, { quorum: true }]) {
      let times = 0;
      tap.instead = ({ path }) =>
        path.includes(key) && ++times <= 2 ? { status, body: 'Too Many Requests' } : undefined;
      expect(await firstValueFrom(client.getValue$(key, options))).toBe('v');
      expect(times).toBe(3);
    }
  });

  test('a captive portal: a watch tries on, and the log says what answers', async () => {
    const tap = await gateway();
    tap.instead = () => ({ status: 200, body: signIn });
    const client = server.client({ endpoints: tap.url, discover: false });
    const warnings: string[] = [];
    client.logEvents({ level: 'warn', write: (line) => warnings.push(line) });
    const key = server.key();
    const seen: WatchEvent[] = [];
    const failed = jest.fn();
    client.watch$(key, { initial: true }).subscribe({ next: (event) => seen.push(event), error: failed });
    const words = `200, no answer of etcd (HTML from ${tap.url})`;
    await eventually(() => warnings.some((line) => line.includes('watch-lost') && line.includes(words)));
    tap.instead = () => undefined;
    await eventually(() => seen.length > 0, { within: 15_000 });
    expect(seen).toMatchObject([{ action: 'sync', node: { key } }]);
    expect(failed).not.toHaveBeenCalled();
  });

  test('it is named by what it is and where it comes from', async () => {
    const tap = await gateway();
    tap.instead = () => ({ status: 200, body: signIn });
    // Few tries: a deadline may pass before the gateway has answered, and then nobody knows what it would have said.
    const client = server.client({ endpoints: tap.url, discover: false, retry: { max: 2 } });
    const error = await rejectionOf(client.get$('/k'));
    expect(error).toMatchObject({ code: 'UNEXPECTED_RESPONSE' });
    expect((error as Error).message).toContain(
      `get /k: unexpected answer: 200, no answer of etcd (HTML from ${tap.url})`,
    );
    const calls = [client.machines$(), client.auth.status$(), client.members.list$(), client.version$()];
    const errors = await Promise.all(calls.map((call) => rejectionOf(call)));
    expect(errors).toMatchObject(calls.map(() => ({ code: 'UNEXPECTED_RESPONSE' })));
  });

  test('a page that says yes to everything has done nothing for sure', async () => {
    const tap = await gateway();
    tap.instead = ({ method }) => (method === 'GET' ? undefined : { status: 200, body: signIn });
    const client = server.client({ endpoints: tap.url, discover: false, deadline: 2_000 });
    for (const call of [client.auth.enable$(), client.auth.deleteUser$('u'), client.members.remove$('1')])
      expect(isOutcomeUnknown(await rejectionOf(call))).toBe(true);
  });
});
