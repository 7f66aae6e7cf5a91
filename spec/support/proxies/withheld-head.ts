import { firstValueFrom, type Observable } from 'rxjs';
import type { ServerUnderTest } from '../etcd/server-under-test.js';
import { WatchLog } from '../promises/watch-log.js';

/** Something in front of the server that holds heads back. */
interface Front {
  readonly url: string;
  close$(): Observable<unknown>;
}

/**
 * A watch of what has happened already, through something that holds heads back until their bodies begin. A bare long poll gets its
 * event there at once; rejects if not.
 *
 * @returns the watch, once it has had its time
 */
export async function watchThrough(server: ServerUnderTest, start$: Observable<Front>): Promise<WatchLog> {
  const front = await firstValueFrom(start$);
  server.afterwards(() => firstValueFrom(front.close$()));
  const path = `/keys${server.key()}`;
  const { headers } = await server.fetch(path, {
    method: 'PUT',
    body: new URLSearchParams({ value: 'there' }),
  });
  const fromIndex = Number(headers.get('x-etcd-index'));
  const poll = await fetch(`${front.url}/v2${path}?wait=true&waitIndex=${fromIndex}`, {
    signal: AbortSignal.timeout(10_000),
  });
  expect(await poll.text()).toContain('"value":"there"');

  const client = server.client({ endpoints: front.url, discover: false, timeout: 1_000 });
  const log = new WatchLog(client, path.replace('/keys', ''), { fromIndex });
  server.afterwards(() => log.unsubscribe());
  await log.until(() => log.events.length > 0, { within: 3_000 }).catch(() => undefined);
  return log;
}
