import { lastValueFrom, of } from 'rxjs';
import { MemberLeft } from '../../../lib/watch/member-left.js';
import { WatchStreams } from '../../../lib/v3/watch/watch-streams.js';
import type { WatchMessage } from '../../../lib/v3/watch/watch-stream.js';

test('a request of its own that ends without an error ends no watch, which goes on elsewhere', async () => {
  const streams = new WatchStreams({
    openBodies: false,
    open$: () => of({ created: true } as WatchMessage),
    answers$: () => of(undefined),
    version: () => '3.5.16',
  });
  const told$ = streams.take('a', false).watch$({ key: Buffer.from('k') });
  await expect(lastValueFrom(told$)).rejects.toBeInstanceOf(MemberLeft);
});
