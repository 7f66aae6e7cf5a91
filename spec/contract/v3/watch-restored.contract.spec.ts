import { cpSync, rmSync } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { serverUnderTest } from '../../support/etcd/server-under-test.js';
import { eventually } from '../../support/jest/eventually.js';
import { acceptAgain } from '../../support/proxies/write-tap.js';
import { putPast, watchBed } from '../../support/v3/watch-bed.js';

/*
 * A store that was put back to what it was, as from a copy of its volume, and one that lost all: the same ids, terms that may go on,
 * revisions that begin anew. Nothing but what it answers tells.
 */
const server = serverUnderTest();
let key: string;
const put = (name: string, value: string) => putPast(server.url, name, value);
const restart = async () => {
  await firstValueFrom(server.member.restart$());
  await firstValueFrom(server.member.ready$());
};

beforeEach(() => {
  key = server.key();
});

/** How many watchers of v3 the server holds. */
const watchers = async () =>
  Number(
    /^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(
      await (await fetch(`${server.url}/metrics`)).text(),
    )?.[1],
  );

/** What puts the store back to what it is now. */
async function save(): Promise<() => Promise<void>> {
  const { member } = server;
  const copy = `${member.dataDir}-copy`;
  server.afterwards(() => rmSync(copy, { recursive: true, force: true }));
  await firstValueFrom(member.kill$());
  cpSync(member.dataDir, copy, { recursive: true });
  await restart();
  return async () => {
    await firstValueFrom(member.kill$());
    rmSync(member.dataDir, { recursive: true });
    cpSync(copy, member.dataDir, { recursive: true });
    await restart();
  };
}

/** Watches, lets 20 revisions come that the store forgets then, and writes to it unseen before the watch is back. */
async function forget(saved: boolean, unseen: number) {
  const proxy = await server.proxy();
  const bed = watchBed(server.version, { endpoints: proxy.url });
  server.afterwards(() => bed.close());
  const { member } = server;
  const copy = `${member.dataDir}-copy`;
  server.afterwards(() => rmSync(copy, { recursive: true, force: true }));
  await put(key, 'kept');
  await firstValueFrom(member.kill$());
  cpSync(member.dataDir, copy, { recursive: true });
  await restart();
  const log = await bed.watch(key).live();
  for (let i = 0; i < 20; i += 1) await put(key, `lost${i}`);
  await log.until(`put ${key}=lost19`);
  proxy.refuse();
  proxy.reset();
  await firstValueFrom(member.kill$());
  rmSync(member.dataDir, { recursive: true });
  if (saved) cpSync(copy, member.dataDir, { recursive: true });
  await restart();
  for (let i = 0; i < unseen; i += 1) await put(key, `new${i}`);
  await acceptAgain(proxy);
  return log;
}

describe.each([
  [true, 'put back'],
  [false, 'empty'],
])('kept: %s: a store that was %s', (saved) => {
  test('its revision is below what was told: a resync says so', async () => {
    const log = await forget(saved, 0);
    await log.until('resync');
    const last = await put(key, 'last');
    await log.until(`put ${key}=last`);
    const [resync, ...after] = log.lines.slice(20);
    expect(resync).toMatch(saved ? `resync restored ${key}=kept@` : /^resync restored @/);
    expect(after).toEqual([`put ${key}=last@${last}`]);
  });

  test('it has overtaken what was told: what comes first is not what did, and a resync says so', async () => {
    const log = await forget(saved, 80);
    await log.until('resync');
    await put(key, 'last');
    await log.until(`put ${key}=last`);
    expect(log.lines.slice(20).map((line) => line.split('@')[0])).toEqual([
      `resync restored ${key}=new79`,
      `put ${key}=last`,
    ]);
  });
});

test('a member that was merely restarted is no such store', async () => {
  const bed = watchBed(server.version, { endpoints: server.url });
  server.afterwards(() => bed.close());
  const log = await bed.watch(key).live();
  await put(key, '1');
  await log.until(`put ${key}=1`);
  await firstValueFrom(server.member.kill$());
  await restart();
  await eventually(async () => (await put(key, '2')) > 0);
  await log.until(`put ${key}=2`);
  expect(log.lines.map((line) => line.split('@')[0])).toEqual([`put ${key}=1`, `put ${key}=2`]);
});

test('a watch from now on begins below what was seen of a store that was put back', async () => {
  await put(key, 'kept');
  const putBack = await save();
  const bed = watchBed(server.version, { endpoints: server.url });
  server.afterwards(() => bed.close());
  for (let i = 0; i < 20; i += 1) await put(key, 'lost');
  const former = await bed.watch(`${key}/former`).live();
  former.stop();
  await eventually(async () => (await watchers()) === 0);
  await putBack();
  const log = await bed.watch(key).live();
  const last = await put(key, 'last');
  await log.until(`put ${key}=last`);
  expect(log.lines).toEqual([`put ${key}=last@${last}`]);
});

test('what was seen of a store before it was put back counts no more, though it has overtaken the watch', async () => {
  const putBack = await save();
  const proxy = await server.proxy();
  const bed = watchBed(server.version, { endpoints: proxy.url });
  server.afterwards(() => bed.close());
  const log = await bed.watch(key).live();
  await put(key, 'lost');
  await log.until(`put ${key}=lost`);
  for (let i = 0; i < 50; i += 1) await put(`${key}/elsewhere`, 'lost');
  const former = await bed.watch(`${key}/former`).live();
  former.stop();
  await eventually(async () => (await watchers()) === 1);
  const before = bed.seen.value;
  proxy.refuse();
  proxy.reset();
  await putBack();
  for (let i = 0; i < 10; i += 1) await put(key, `new${i}`);
  await acceptAgain(proxy);
  await log.until('resync');
  expect(log.lines[1]).toContain(`resync restored ${key}=new9`);
  expect(bed.seen.value).toBeLessThan(before);
});

test('a watch that was told nothing of a store before it was put back learns of it by another one of its client', async () => {
  const putBack = await save();
  const proxy = await server.proxy();
  const bed = watchBed(server.version, { endpoints: proxy.url });
  server.afterwards(() => bed.close());
  const busy = await bed.watch(`${key}/busy`).live();
  for (let i = 0; i < 20; i += 1) await put(`${key}/busy`, `lost${i}`);
  await busy.until(`put ${key}/busy=lost19`);
  const quiet = await bed.watch(`${key}/quiet`).live();
  proxy.refuse();
  proxy.reset();
  await putBack();
  await put(`${key}/quiet`, 'unseen');
  for (let i = 0; i < 80; i += 1) await put(`${key}/busy`, `new${i}`);
  await acceptAgain(proxy);
  await busy.until('resync restored');
  await quiet.until('resync restored');
  const last = await put(`${key}/quiet`, 'last');
  await quiet.until(`put ${key}/quiet=last`);
  expect(quiet.lines.map((line) => line.split('@')[0])).toEqual([
    `resync restored ${key}/quiet=unseen`,
    `put ${key}/quiet=last`,
  ]);
  expect(quiet.lines.at(-1)).toBe(`put ${key}/quiet=last@${last}`);
});
