import { firstValueFrom } from 'rxjs';
import { startNginx } from '../support/middlebox/nginx.js';
import { serverUnderTest } from '../support/etcd/server-under-test.js';
import { WatchLog } from '../support/promises/watch-log.js';
import { watchThrough } from '../support/proxies/withheld-head.js';

/* nginx as Debian ships it, in front of one etcd. */
const server = serverUnderTest();

describe('with buffering, as it comes', () => {
  let log: WatchLog;
  beforeEach(async () => {
    log = await watchThrough(server, startNginx([server.url]));
  });

  it('a watch through it tells what a bare long poll tells', () => {
    expect(log.events.map(({ node }) => node.value)).toEqual(['there']);
  });
});

test('without buffering a watch follows through it, over the ends that its time limit makes', async () => {
  const nginx = await firstValueFrom(startNginx([server.url], { buffering: false, readTimeout: 1 }));
  server.afterwards(() => firstValueFrom(nginx.close$()));
  const client = server.client({ endpoints: nginx.url, discover: false });
  let ends = 0;
  client.events$.subscribe(({ type }) => (ends += type === 'watch-lost' ? 1 : 0));
  const key = server.key();
  const log = await new WatchLog(client, key).live();
  server.afterwards(() => log.unsubscribe());
  for (const value of ['a', 'b', 'c']) {
    const before = ends;
    await log.until(() => ends > before);
    await firstValueFrom(client.set$(key, value));
    await log.until(() => log.lines.at(-1) === `set ${key}=${value}`);
  }
  expect(log.lines).toEqual(['a', 'b', 'c'].map((value) => `set ${key}=${value}`));
});
