import { firstValueFrom } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { startOldEtcd, type OldEtcd } from './old-etcd.js';
import type { OldRelease } from './old-etcd-release.js';

let etcd: OldEtcd;
const start = async (release: OldRelease, size = 1) =>
  (etcd = await firstValueFrom(startOldEtcd(release, size)));
afterEach(() => firstValueFrom(etcd.close$()));

async function ask(method: string, path: string, form?: Record<string, string>, member = etcd.first) {
  const response = await fetch(member.url + path, {
    method,
    redirect: 'manual',
    ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const { status, headers } = response;
  return { status, type: headers.get('content-type'), headers, body: await response.text() };
}

/** What was measured on the real servers; nothing else tells whether the imitation is one. */
describe('an imitated etcd answers as measured', () => {
  test.each<[OldRelease, string, string, string]>([
    [
      '0.2.0-rc1',
      '{"action":"set","key":"/a","prevValue":"1","value":"2","modifiedIndex":3}',
      'text/plain; charset=utf-8',
      '0x71bc80',
    ],
    [
      '0.2.0',
      '{"action":"set","node":{"key":"/a","value":"2","modifiedIndex":3,"createdIndex":3}}',
      'application/json',
      '3',
    ],
    [
      '0.4.9',
      '{"action":"set","node":{"key":"/a","value":"2","modifiedIndex":4,"createdIndex":4},' +
        '"prevNode":{"key":"/a","value":"1","modifiedIndex":3,"createdIndex":3}}',
      'application/json',
      '4',
    ],
    [
      '2.3.8',
      '{"action":"set","node":{"key":"/a","value":"2","modifiedIndex":5,"createdIndex":5},' +
        '"prevNode":{"key":"/a","value":"1","modifiedIndex":4,"createdIndex":4}}',
      'application/json',
      '5',
    ],
  ])('%s: a set over a value', async (release, body, type, index) => {
    await start(release);
    expect((await ask('PUT', '/v2/keys/a', { value: '1' })).status).toBe(201);
    const answer = await ask('PUT', '/v2/keys/a', { value: '2' });
    expect(answer).toMatchObject({ status: 200, type, body });
    expect(answer.headers.get('x-etcd-index')).toBe(index);
    expect(answer.headers.has('x-etcd-cluster-id')).toBe(release === '2.3.8');
  });

  test.each<[OldRelease, number, string]>([
    ['0.2.0-rc1', 400, 'Test Failed'],
    ['0.2.0', 412, 'Compare failed'],
  ])('%s: a comparison that fails', async (release, status, message) => {
    await start(release);
    etcd.set('/c', '2');
    const answer = await ask('PUT', '/v2/keys/c', { value: 'x', prevValue: 'nope' });
    expect(answer).toMatchObject({
      status,
      type: 'text/plain; charset=utf-8',
      body: `{"errorCode":101,"message":"${message}","cause":"[nope != 2] [0 != 2]","index":2}`,
    });
  });

  test('0.4.9: the same', async () => {
    await start('0.4.9');
    etcd.set('/c', '2');
    const answer = await ask('PUT', '/v2/keys/c', { value: 'x', prevValue: 'nope' });
    expect(answer).toMatchObject({
      status: 412,
      type: 'application/json',
      body: '{"errorCode":101,"message":"Compare failed","cause":"[nope != 2]","index":3}',
    });
  });

  test.each<[OldRelease, string]>([
    ['0.2.0-rc1', '{"action":"set","key":"/e","dir":true,"modifiedIndex":2}'],
    ['0.2.0', '{"action":"set","node":{"key":"/e","modifiedIndex":2,"createdIndex":2}}'],
    ['0.4.9', '{"action":"set","node":{"key":"/e","value":"","modifiedIndex":3,"createdIndex":3}}'],
  ])('%s: an empty value', async (release, body) => {
    await start(release);
    expect(await ask('PUT', '/v2/keys/e', { value: '' })).toMatchObject({ status: 201, body });
  });

  test.each<[OldRelease, 'delete' | 'error']>([
    ['0.2.0-rc1', 'delete'],
    ['0.2.0', 'delete'],
    ['0.4.9', 'error'],
  ])('%s: a conditional delete ends in a %s', async (release, end) => {
    await start(release);
    etcd.set('/c', '2');
    const { status } = await ask('DELETE', '/v2/keys/c?prevValue=nope');
    expect(status).toBe(end === 'delete' ? 200 : 412);
    expect(etcd.store.files).toEqual(end === 'delete' ? {} : { '/c': '2' });
  });

  test.each<[OldRelease, string]>([
    ['0.2.0', ''],
    ['0.4.9', ''],
    ['2.2.5', ''],
    ['2.3.8', 'v'],
  ])('%s: a refresh leaves the value %p', async (release, value) => {
    await start(release);
    etcd.set('/r', 'v');
    await ask('PUT', '/v2/keys/r', { ttl: '50', refresh: 'true', prevExist: 'true' });
    expect(etcd.store.files).toEqual({ '/r': value });
  });

  test('0.2.0-rc1: a write to / destroys the store', async () => {
    await start('0.2.0-rc1');
    expect((await ask('DELETE', '/v2/keys/?recursive=true')).status).toBe(200);
    await expect(ask('GET', '/v2/keys/')).rejects.toThrow();
  });

  test('0.4.9: followers redirect, to themselves while nobody leads', async () => {
    await start('0.4.9', 2);
    const [leader, follower] = etcd.members as [OldEtcd['first'], OldEtcd['first']];
    const put = await ask('PUT', '/v2/keys/x?prevExist=false', { value: 'v' }, follower);
    expect(put).toMatchObject({ status: 307, body: '' });
    expect(put.headers.get('location')).toBe(`${leader.url}/v2/keys/x?prevExist=false`);
    expect(put.headers.has('x-etcd-index')).toBe(false);
    etcd.leader = undefined;
    expect((await ask('PUT', '/v2/keys/x', { value: 'v' }, follower)).status).toBe(500);
    const get = await ask('GET', '/v2/keys/x?consistent=true', undefined, follower);
    expect(get.headers.get('location')).toBe('/v2/keys/x?consistent=true');
    expect((await ask('GET', '/v2/leader')).body).toBe(
      '{"errorCode":301,"message":"During Leader Election","index":2}',
    );
  });

  test.each<[OldRelease, boolean]>([
    ['0.2.0', false],
    ['0.4.9', true],
  ])('%s: headers of a watch before its event: %p', async (release, early) => {
    await start(release);
    let arrived = false;
    const watch = fetch(`${etcd.first.url}/v2/keys/w?wait=true`);
    void watch.then(() => (arrived = true));
    await eventually(() => etcd.store.watchers === 1);
    // The answer to a later request has come: that to the watch could have.
    await ask('GET', '/version');
    if (early) await eventually(() => arrived);
    expect(arrived).toBe(early);
    const before = etcd.store.index;
    etcd.set('/w', 'v');
    const response = await watch;
    expect(response.headers.get('x-etcd-index')).toBe(String(early ? before : before + 1));
    expect(await response.json()).toMatchObject({ action: 'set', node: { key: '/w', value: 'v' } });
  });

  test('0.2.0: history is a thousand events of all keys', async () => {
    await start('0.2.0');
    const writes = 1_500;
    for (let n = 0; n < writes; n++) etcd.set('/h', String(n));
    const { index } = etcd.store;
    expect((await ask('GET', `/v2/keys/h?wait=true&waitIndex=${index - 999}`)).status).toBe(200);
    const gone = await ask('GET', `/v2/keys/h?wait=true&waitIndex=${index - 1_000}`);
    expect(gone).toMatchObject({
      status: 400,
      body:
        '{"errorCode":401,"message":"The event in requested index is outdated and cleared",' +
        `"cause":"the requested history has been cleared [${index - 999}/${index - 1_000}]","index":${index}}`,
    });
  });

  test.each<[OldRelease, string]>([
    ['0.2.0-rc1', 'etcd v0.2.0-rc1'],
    ['0.2.0', 'etcd v0.2.0'],
    ['0.4.9', 'etcd 0.4.9'],
    ['2.3.8', '{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'],
  ])('%s: /version', async (release, body) => {
    await start(release);
    expect((await ask('GET', '/version')).body).toBe(body);
    const missing = await ask('GET', '/v2/members/leader');
    expect(missing.status).toBe(release === '2.3.8' ? 200 : 404);
  });
});
