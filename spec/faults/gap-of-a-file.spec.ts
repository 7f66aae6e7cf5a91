import { firstValueFrom, type Observable } from 'rxjs';
import { eventually } from '../support/jest/eventually.js';
import type { OldEtcd } from '../support/old-etcd/old-etcd.js';
import { oldEtcdUnderTest } from '../support/old-etcd/old-etcd-under-test.js';
import { startTcpProxy } from '../support/proxies/tcp-proxy.js';
import { WatchLog } from '../support/promises/watch-log.js';
import { acceptAgain } from '../support/proxies/write-tap.js';

/* etcd 2.3.0 to 3.0.17: a recursive watch overlooks the key itself in history, unless its event is the first one looked at. */
const old = oldEtcdUnderTest();

describe('a watch of a file, recursive as it is by default, on etcd 2.3', () => {
  let etcd: OldEtcd;
  let log: WatchLog;
  let closing: Observable<void> | undefined;

  afterEach(async () => {
    if (closing !== undefined) await firstValueFrom(closing);
  });

  /** Cuts its connection; what happens meanwhile only history has. */
  async function cut(meanwhile: () => void): Promise<void> {
    etcd = await old.start('2.3.8');
    const proxy = await firstValueFrom(startTcpProxy(etcd.first.server.url));
    closing = proxy.close$();
    const client = old.client(etcd, {
      endpoints: proxy.url,
      discover: false,
      heartbeat: 400,
      retry: { initialDelay: 10, maxDelay: 50 },
    });
    log = await new WatchLog(client, '/cfg').live();
    await eventually(() => etcd.store.watchers > 0);
    etcd.set('/cfg', 'first');
    await log.count(1);
    proxy.refuse();
    proxy.reset();
    await eventually(() => etcd.store.watchers === 0);
    meanwhile();
    await acceptAgain(proxy);
    await eventually(() => etcd.store.watchers > 0);
    etcd.set('/cfg', 'last');
    await log.until(() => log.lines.includes('set /cfg=last'));
    log.unsubscribe();
  }

  it('tells of what happened while its connection was cut', async () => {
    await cut(() => {
      for (const [key, value] of [
        ['/other', '1'],
        ['/cfg', 'gap1'],
        ['/other', '2'],
        ['/cfg', 'gap2'],
      ] as const)
        etcd.set(key, value);
    });
    expect(log.lines).toEqual(['first', 'gap1', 'gap2', 'last'].map((value) => `set /cfg=${value}`));
  });

  it('tells that it was deleted and made anew, and of many changes between others', async () => {
    const values = Array.from({ length: 60 }, (_, i) => `gap${i}`);
    await cut(() => {
      etcd.set('/other', '1');
      etcd.remove('/cfg');
      for (const value of values) {
        etcd.set('/other', value);
        etcd.set('/cfg', value);
      }
    });
    expect(log.lines).toEqual([
      'set /cfg=first',
      'delete /cfg',
      ...[...values, 'last'].map((value) => `set /cfg=${value}`),
    ]);
  });
});
