import { tap } from 'rxjs';
import { startEtcdProxy } from '../support/middlebox/etcd-fronts.js';
import { startMiddlebox } from '../support/middlebox/middlebox.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import type { WatchLog } from '../support/promises/watch-log.js';
import { watchThrough } from '../support/proxies/withheld-head.js';

/* What holds heads back: a watch needs no more of it than a bare long poll does. nginx is asked in spec/middlebox. */
const server = serverUnderTest();

/** As nginx: the head comes with the body. As an etcd proxy: and both in lumps. */
const buffering = (lump: number) =>
  startMiddlebox(server.url).pipe(tap(({ relay }) => (relay.manner = { holdsHeads: true, lump })));

describe.each([
  ['etcd as a proxy', () => startEtcdProxy([server.member])],
  ['a proxy that holds heads back', () => buffering(0)],
  ['a proxy that flushes at 4 KB', () => buffering(4_096)],
])('%s', (_, start) => {
  let log: WatchLog;
  beforeEach(async () => {
    log = await watchThrough(server, start());
  });

  it('a watch through it tells what a bare long poll tells', () => {
    expect(log.events.map(({ node }) => node.value)).toEqual(['there']);
  });
});
