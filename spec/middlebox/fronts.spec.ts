import type { ClientOptions, WatchEvent } from 'rxetcd';
import { filter, firstValueFrom, map, switchMap, tap, type Observable } from 'rxjs';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { startEtcdGateway, startEtcdProxy } from '../support/middlebox/etcd-fronts.js';
import { startMiddlebox } from '../support/middlebox/middlebox.js';
import { startNginx } from '../support/middlebox/nginx.js';
import { WatchLog } from '../support/promises/watch-log.js';
import { writeBurst } from '../support/promises/burst-writer.js';
import { startHeaderStripper } from '../support/proxies/header-stripper.js';

/* What stands in front of etcd, in front of a real one: every kind of watch gets through it what a bare long poll gets. */
const server = serverUnderTest();

interface Front {
  readonly url: string;
  close$(): Observable<unknown>;
}

/** Passes heads at once and bodies when 4 KB of them are there, or their end. */
const lumps = () =>
  startMiddlebox(server.url).pipe(tap(({ relay }) => (relay.manner = { holdsHeads: false, lump: 4_096 })));

/** Shows none of etcd's headers, behind a proxy that holds heads back. */
const blind = () =>
  startHeaderStripper(server.url).pipe(
    switchMap((stripper) =>
      startNginx([stripper.url]).pipe(
        map((nginx): Front => ({
          url: nginx.url,
          close$: () => nginx.close$().pipe(switchMap(() => stripper.close$())),
        })),
      ),
    ),
  );

/** With what heartbeats: events that a stream brings late are looked for as the store moves, which the heartbeat tells. */
const fronts: [string, () => Observable<Front>, heartbeats: readonly (false | undefined)[]][] = [
  ['nginx as it comes', () => startNginx([server.url]), [undefined, false]],
  ['nginx without buffering', () => startNginx([server.url], { buffering: false }), [undefined, false]],
  ['etcd as a proxy', () => startEtcdProxy([server.member]), [undefined, false]],
  ['etcd gateway', () => startEtcdGateway([server.url]), [undefined, false]],
  ['a proxy that passes bodies in lumps', lumps, [undefined]],
  ['nginx as it comes, and no header of etcd', blind, [undefined, false]],
];

describe.each(fronts)('%s', (_, start, heartbeats) => {
  let url: string;
  let key: string;

  beforeEach(async () => {
    const front = await firstValueFrom(start());
    server.afterwards(() => firstValueFrom(front.close$()));
    ({ url } = front);
    key = server.key();
  });

  const client = (options: ClientOptions = {}) =>
    server.client({ endpoints: url, discover: false, ...options });
  const write = async (value: string): Promise<number> => {
    const { headers } = await server.fetch(`/keys${key}`, {
      method: 'PUT',
      body: new URLSearchParams({ value }),
    });
    return Number(headers.get('x-etcd-index'));
  };
  const watch = (options?: object, of = client()): WatchLog => {
    const log = new WatchLog(of, key, options);
    server.afterwards(() => log.unsubscribe());
    return log;
  };
  const told = ({ events }: WatchLog) => events.map(({ action, node }) => `${action} ${String(node.value)}`);
  /** A bare long poll for the next change; when it has come (`performance.now()`). */
  const bare = async (from: number): Promise<number> => {
    await (await fetch(`${url}/v2/keys${key}?wait=true&waitIndex=${from}`)).text();
    return performance.now();
  };

  test.each(heartbeats)(
    'changes from now on come when a bare long poll has them (heartbeat: %p)',
    async (heartbeat) => {
      const log = await watch({}, client({ ...(heartbeat === false && { heartbeat }) })).live();
      // What the front is like has to be found first, and a stream is found late by a poll.
      await write('first');
      await log.count(1);
      let index = await write('second');
      await log.count(2);
      const late: number[] = [];
      for (const value of ['third', 'fourth', 'fifth', 'sixth']) {
        const polled = bare(index + 1);
        let seen = 0;
        const own = log
          .until(() => log.events.at(-1)?.node.value === value)
          .then(() => (seen = performance.now()));
        index = await write(value);
        late.push((await own, seen) - (await polled));
      }
      expect(told(log)).toEqual(
        ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].map((value) => `set ${value}`),
      );
      // With room for a machine that is busy; what is late at all is late by seconds.
      expect(Math.max(...late)).toBeLessThan(750);
    },
  );

  test('with the state first', async () => {
    await write('before');
    const log = watch({ initial: true });
    await log.count(1);
    await write('after');
    await log.count(2);
    expect(told(log)).toEqual(['sync before', 'set after']);
  });

  test('from an index in history', async () => {
    const fromIndex = await write('one');
    await write('two');
    const log = watch({ fromIndex });
    await log.count(2);
    await write('three');
    await log.count(3);
    expect(told(log)).toEqual(['set one', 'set two', 'set three']);
  });

  test('the next change alone', async () => {
    const fromIndex = await write('one');
    const event = await firstValueFrom(client().watchOnce$(key, { fromIndex }));
    expect(event.node.value).toBe('one');
    const own = client();
    const standing = firstValueFrom(own.events$.pipe(filter(({ type }) => type === 'watch-live')));
    const next: Promise<WatchEvent> = firstValueFrom(own.watchOnce$(key));
    await standing;
    await write('two');
    expect((await next).node.value).toBe('two');
  });

  test('history that is gone is made up for by the state', async () => {
    const fromIndex = await write('lost');
    await write('state');
    await writeBurst(
      server.url,
      Array.from({ length: 1_001 }, (__, i) => ({ key: `${key}-other`, value: String(i) })),
    );
    const log = watch({ fromIndex });
    await log.count(1);
    await write('after');
    await log.count(2);
    expect(told(log)).toEqual(['resync state', 'set after']);
  });
});
