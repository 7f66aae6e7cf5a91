import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import { startHttpTap, type HttpTap } from '../support/proxies/http-tap.js';
import { startMiddlebox, type Middlebox } from '../support/middlebox/middlebox.js';
import { promptly, type NextLine } from '../support/middlebox/relay.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { WatchLog } from '../support/promises/watch-log.js';

/*
 * The head of a long poll says how far the store is, its event is on its way behind it, and the connection breaks between the two.
 * That the poll was silent up to there then says nothing, whatever the member answers later.
 */
const server = serverUnderTest();
let box: Middlebox;
let tap: HttpTap;
let key: string;
let log: WatchLog;
let release: () => void;
/** When the head was there and its event was not, by `performance.now()`. */
let heldAt: number;

const put = (value: string) =>
  server.fetch(`/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value }) });
const isPoll = ({ path }: Pick<NextLine, 'path'>) =>
  path.includes('waitIndex=') && !path.includes('stream=true');
const polls = () => box.links.filter(({ asked }) => isPoll({ path: asked }));
/** How the client asks where the store is. */
const asksIndex = ({ path }: { readonly path: string }) => path.includes('/_rxetcd');
const askedSince = (since: number) =>
  tap.requests.filter((request) => asksIndex(request) && request.at > since).length;
/** Two such questions, one after the other, well over a second behind that head: the first has its answer. */
const witnessed = (since = 0) => eventually(() => askedSince(Math.max(since, heldAt + 2_000)) > 1);

beforeEach(async () => {
  box = await firstValueFrom(startMiddlebox(server.url));
  server.afterwards(() => firstValueFrom(box.close$()));
  tap = await firstValueFrom(startHttpTap(box.url));
  server.afterwards(() => firstValueFrom(tap.close$()));
  const until = new Promise<void>((resolve) => (release = resolve));
  server.afterwards(() => release());
  key = server.key();
  const client = server.client({
    endpoints: tap.url,
    discover: false,
    heartbeat: 300,
    retry: { initialDelay: 10, maxDelay: 50 },
  });
  log = new WatchLog(client, key);
  server.afterwards(() => log.unsubscribe());
  await log.live();
  await put('first');
  await log.count(1);
  // What is written while the watch is away only history has.
  box.relay.page = 503;
  box.links.filter(({ asked }) => asked.includes('stream=true')).forEach((link) => link.reset());
  await put('second');
  heldAt = 0;
  box.relay.delay = (next) => {
    if (!isPoll(next)) return undefined;
    heldAt ||= performance.now();
    return { bytes: 0, until };
  };
});

/** Nothing is missing, once the connection that held it is gone and all others pass. */
const expectWhole = async () => {
  await put('third');
  await log.until(() => log.lines.at(-1) === `set ${key}=third`);
  expect(log.lines).toEqual(['first', 'second', 'third'].map((value) => `set ${key}=${value}`));
};

test('the member answers before the watch stands there again: its event is asked for again', async () => {
  box.relay.page = undefined;
  await eventually(() => heldAt > 0);
  // From now on no leg stands.
  box.relay.manner = { holdsHeads: true, lump: 0 };
  polls().forEach((link) => link.finish());
  await witnessed();
  box.relay.manner = promptly;
  box.relay.delay = () => undefined;
  await expectWhole();
});

test('the member fails to answer once, then answers: its event is asked for again', async () => {
  tap.instead = (asked) => (asksIndex(asked) && heldAt > 0 ? { status: 503, body: '' } : undefined);
  box.relay.page = undefined;
  await eventually(() => heldAt > 0);
  await eventually(() => askedSince(heldAt) > 1);
  tap.instead = () => undefined;
  await witnessed(performance.now());
  box.relay.delay = () => undefined;
  polls().forEach((link) => link.finish());
  await expectWhole();
});
