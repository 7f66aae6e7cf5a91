import { isInvalidOption, isKeyNotFound, type EtcdClient } from 'rxetcd';
import { firstValueFrom } from 'rxjs';
import { keysUnderTest } from '../../support/etcd/keys-under-test.js';
import { rejectionOf } from '../../support/jest/rejection.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const keys = keysUnderTest();
const { server, get, set } = keys;
let client: EtcdClient;
let key: string;

beforeEach(() => {
  ({ client, key } = keys);
});

describe('keys', () => {
  test.each([
    'with space',
    ' around ',
    'Zürich 東京 🦊',
    '100%',
    '%41%2F',
    'a?b=c',
    'a#b',
    'a+b',
    'a&b;c=d',
    "it's (fine)!*",
    'a:b@c',
    '<tag>"quoted"\\',
    '...',
    'line\nend',
  ])('%j names one key, for every operation', async (name) => {
    const awkward = `${key}/${name}`;
    const log = await new WatchLog(client, awkward).live();
    expect((await set(awkward, '1')).node.key).toBe(awkward);
    expect((await get(awkward)).node).toMatchObject({ key: awkward, value: '1' });
    expect((await get()).node.nodes?.map((node) => node.key)).toEqual([awkward]);
    await firstValueFrom(client.compareAndSwap$(awkward, '2', { prevValue: '1' }));
    await firstValueFrom(client.delete$(awkward));
    await log.count(3);
    expect(log.lines).toEqual([`set ${awkward}=1`, `compareAndSwap ${awkward}=2`, `delete ${awkward}`]);
  });

  test('slashes around a key make no difference', async () => {
    const { node } = await set(`${key}/a/b`, 'v');
    for (const name of [`${key}/a/b/`, `${key.slice(1)}/a/b`, `//${key}/a/b//`])
      expect((await get(name)).node).toEqual(node);
  });

  test('a key as long as any call on it may send is served, one character more is refused unsent', async () => {
    // The longest lines: a delete's, and those of a watch and its question for the index.
    const rest = '/_rxetcd?wait=true&recursive=true&sorted=true&quorum=true&waitIndex=9007199254740991';
    const room = 4096 - `DELETE /v2/keys${rest} HTTP/1.1\r\n`.length;
    const longest = `${key}/`.padEnd(room, 'x');
    const fresh = server.client({ discover: false });
    await firstValueFrom(fresh.set$(longest, 'v'));
    expect(await firstValueFrom(fresh.getValue$(longest, { quorum: true }))).toBe('v');
    await firstValueFrom(fresh.delete$(longest, { recursive: true }));
    expect(isKeyNotFound(await rejectionOf(fresh.get$(longest)))).toBe(true);
    for (const refused$ of [
      fresh.get$(`${longest}x`),
      fresh.set$(`${longest}x`, 'v'),
      fresh.watch$(`${longest}x`),
    ]) {
      const error = await rejectionOf(refused$);
      expect(isInvalidOption(error)).toBe(true);
      expect(error).toMatchObject({ option: 'key', value: `${longest}x`, attempts: [] });
    }
  });
});
