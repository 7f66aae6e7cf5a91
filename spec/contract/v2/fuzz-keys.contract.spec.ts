import axios from 'axios';
import * as fc from 'fast-check';
import { EtcdErrorCode, isInvalidOption, type EtcdClient, type EtcdNode } from 'rxetcd';
import { firstValueFrom, type Observable } from 'rxjs';
import {
  anyKey,
  isUnicode,
  notText,
  path,
  segment,
  text,
  value,
  visibleSegment,
} from '../../support/values/arbitraries.js';
import { percent } from '../../support/etcd/bare-request.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';
import { WatchLog } from '../../support/promises/watch-log.js';

const fuzz = fuzzedServer();
const { server, bare, fresh, outcome, judge, succeed, failure, start } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

/** Keys and values of all files below a node. */
function filesOf(node: EtcdNode | undefined): Record<string, string | undefined> {
  if (node === undefined) return {};
  if (node.dir !== true) return { [node.key]: node.value };
  return Object.assign(Object.create(null) as object, ...(node.nodes ?? []).map(filesOf)) as Record<
    string,
    string
  >;
}

/** The same, by entries that no prototype can disturb. */
const entriesOf = (node: EtcdNode | undefined): [string, string | undefined][] =>
  Object.entries(filesOf(node)).sort(([a], [b]) => (a < b ? -1 : 1));

const isHidden = (key: string): boolean => key.split('/').some((part) => part.startsWith('_'));

/** The name that etcd gives a key, or undefined for what must be refused. */
function normalForm(key: unknown): string | undefined {
  if (typeof key !== 'string' || !isUnicode(key)) return undefined;
  let parts = key.split('/');
  while (parts[0] === '') parts = parts.slice(1);
  while (parts.at(-1) === '') parts = parts.slice(0, -1);
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return undefined;
  const name = `/${parts.join('/')}`;
  return percent(name, /[A-Za-z0-9/!'()*~_.-]/).length > 4_000 ? undefined : name;
}

const callsOnKeys: Record<string, (key: string) => Observable<unknown>> = {
  get$: (key) => client.get$(key),
  getValue$: (key) => client.getValue$(key),
  exists$: (key) => client.exists$(key),
  set$: (key) => client.set$(key, 'v'),
  create$: (key) => client.create$(key, 'v'),
  update$: (key) => client.update$(key, 'v'),
  refresh$: (key) => client.refresh$(key, 60),
  createInOrder$: (key) => client.createInOrder$(key, 'v'),
  delete$: (key) => client.delete$(key),
  compareAndSwap$: (key) => client.compareAndSwap$(key, 'v', { prevValue: 'v' }),
  compareAndDelete$: (key) => client.compareAndDelete$(key, { prevIndex: 1 }),
  setDir$: (key) => client.setDir$(key),
  createDir$: (key) => client.createDir$(key),
  updateDir$: (key) => client.updateDir$(key, { ttl: 60 }),
  createDirInOrder$: (key) => client.createDirInOrder$(key),
  deleteDir$: (key) => client.deleteDir$(key),
  watch$: (key) => start(client.watch$(key)),
  watchOnce$: (key) => start(client.watchOnce$(key)),
};

describe(`with the seed ${String(runSeed)}`, () => {
  test('what is written reads back by every way, under its own name only', async () => {
    const ownAxios = server.client({ axios: axios.create() });
    const root = fresh();
    const log = await new WatchLog(client, root).live();
    server.afterwards(() => log.unsubscribe());
    const files = fc.uniqueArray(fc.record({ name: segment, v: value, byClient: fc.boolean() }), {
      selector: ({ name }) => name,
      minLength: 1,
      maxLength: 6,
    });
    let dirs = 0;
    await forAll(50, files, async (written) => {
      const dir = `${root}/${String((dirs += 1))}`;
      const seenBefore = log.events.length;
      let last: number | undefined;
      for (const { name, v, byClient } of written) {
        const key = `${dir}/${name}`;
        const node = byClient
          ? (await succeed(client.set$(key, v))).node
          : (await bare('PUT', key, { value: v })).body.node;
        expect(node).toMatchObject({ key, value: v });
        if (!isHidden(name)) last = node?.modifiedIndex;
      }
      for (const { name, v } of written) {
        const key = `${dir}/${name}`;
        expect((await succeed(client.get$(`//${key}/`))).node).toMatchObject({ key, value: v });
        expect(await succeed(client.getValue$(key.slice(1), { quorum: true }))).toBe(v);
        expect(await succeed(ownAxios.getValue$(key))).toBe(v);
        expect(await succeed(client.exists$(key))).toBe(true);
        expect((await bare('GET', key)).body.node).toMatchObject({ key, value: v });
      }
      const visible = written
        .filter(({ name }) => !isHidden(name))
        .map(({ name, v }): [string, string] => [`${dir}/${name}`, v]);
      const sorted = [...visible].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(entriesOf((await succeed(client.get$(dir, { recursive: true }))).node)).toEqual(sorted);
      expect(entriesOf((await bare('GET', dir)).body.node)).toEqual(sorted);
      if (last !== undefined) await log.reach(last);
      const events = log.events.slice(seenBefore).map(({ node }) => [node.key, node.value]);
      expect(events).toEqual(visible);
    });
  });

  test('a key is the same in its answer, its listing and a watch of itself, however deep', async () => {
    const deep = fc.record({ name: path, v: value, hidden: fc.boolean() });
    await forAll(30, deep, async ({ name, v, hidden }) => {
      const key = `${fresh()}/${hidden ? '_' : ''}${name}`;
      const log = await new WatchLog(client, key).live();
      try {
        const { node } = await succeed(client.create$(key, v));
        expect(node).toMatchObject({ key, value: v });
        await log.reach(node.modifiedIndex);
        const once = firstValueFrom(client.watchOnce$(key, { fromIndex: node.modifiedIndex! }));
        for (const event of [...log.events, await once])
          expect(event).toMatchObject({ action: 'create', node: { key, value: v } });
        const parent = key.slice(0, key.lastIndexOf('/'));
        const { nodes = [] } = (await succeed(client.get$(parent))).node;
        const own = key.slice(parent.length + 1);
        expect(nodes.map((n) => n.key)).toEqual(own.startsWith('_') ? [] : [key]);
        await succeed(client.delete$(key));
        expect((await bare('GET', key)).body.errorCode).toBe(EtcdErrorCode.KeyNotFound);
        await log.count(2);
        expect(log.events[1]).toMatchObject({ action: 'delete', node: { key } });
        expect(log.events).toHaveLength(2);
      } finally {
        log.unsubscribe();
      }
    });
  });

  test('a key of any kind is taken by all calls or refused by all', async () => {
    const call = fc.record({
      name: fc.constantFrom(...Object.keys(callsOnKeys)),
      key: fc.oneof({ weight: 5, arbitrary: anyKey }, { weight: 1, arbitrary: notText }),
    });
    await forAll(400, call, async ({ name, key }) => {
      const result = await judge(() => callsOnKeys[name]!(bad(key)), normalForm(key) !== undefined);
      if (!result.ok && isInvalidOption(result.error)) expect(result.error.option).toBe('key');
    });
  });

  test('what could be written at a key can be read, watched and deleted there, whatever its length', async () => {
    // Around the 4096 bytes of the request line, as characters of one byte and of three.
    const long = fc.record({
      length: fc.noBias(fc.integer({ min: 3_900, max: 4_100 })),
      unit: fc.constantFrom('k', '%', '東'),
    });
    await forAll(40, long, async ({ length, unit }) => {
      const width = encodeURIComponent(unit).length;
      const begin = fresh();
      const rest = length - `/v2/keys${begin}`.length;
      const key = begin + unit.repeat(Math.floor(rest / width)) + 'k'.repeat(rest % width);
      const written = await outcome(() => client.set$(key, 'v'));
      if (!written.ok) {
        expect(isInvalidOption(written.error)).toBe(true);
        return;
      }
      const { modifiedIndex } = written.value.node;
      const everything = { recursive: true, sorted: true, quorum: true };
      expect((await succeed(client.get$(key, everything))).node).toMatchObject({ key, value: 'v' });
      await succeed(start$(key, modifiedIndex!));
      await succeed(client.compareAndSwap$(key, 'w', { prevIndex: modifiedIndex! }));
      await succeed(client.delete$(key, { recursive: true }));
      // As does the key that etcd itself makes below it.
      const inOrder = await outcome(() => client.createInOrder$(key, 'v'));
      if (inOrder.ok) {
        expect(await succeed(client.getValue$(inOrder.value.node.key))).toBe('v');
        await succeed(client.delete$(inOrder.value.node.key));
      }
    });
  });
  const start$ = (key: string, fromIndex: number) => client.watchOnce$(key, { fromIndex });

  test('a key of very many slashes is refused in no time', async () => {
    const key = `a${'/'.repeat(100_000)}b`;
    const startedAt = performance.now();
    await judge(() => client.get$(key), false);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test('directories of any name do as files do', async () => {
    await forAll(40, fc.tuple(path, visibleSegment, text), async ([name, file, v]) => {
      const dir = `${fresh()}/${name}`;
      expect((await succeed(client.createDir$(dir, { ttl: 1_000 }))).node).toMatchObject({
        key: dir,
        dir: true,
      });
      expect(await failure(client.createDir$(dir))).toBe(EtcdErrorCode.KeyExists);
      expect(await failure(client.setDir$(dir))).toBe(EtcdErrorCode.NotFile);
      expect(await failure(client.set$(dir, v))).toBe(EtcdErrorCode.NotFile);
      expect(await failure(client.delete$(dir))).toBe(EtcdErrorCode.NotFile);
      const updated = await outcome(() => client.updateDir$(dir));
      if (updated.ok) expect((await bare('GET', dir)).body.node).not.toHaveProperty('ttl');
      else expect([server.release, updated.error.code]).toEqual(['3.5', 'UNSUPPORTED_BY_SERVER']);
      const { node: first } = await succeed(client.createInOrder$(dir, v));
      const { node: second } = await succeed(client.createDirInOrder$(dir));
      expect(second.key > first.key).toBe(true);
      await succeed(client.set$(`${second.key}/${file}`, v));
      const all = [[first.key, v], [`${second.key}/${file}`, v]]; // prettier-ignore
      expect(entriesOf((await succeed(client.get$(dir, { recursive: true }))).node)).toEqual(all);
      expect(entriesOf((await bare('GET', dir, undefined, '?recursive=true')).body.node)).toEqual(all);
      expect(await failure(client.deleteDir$(dir))).toBe(EtcdErrorCode.DirectoryNotEmpty);
      expect(await failure(client.deleteDir$(first.key))).toBe(EtcdErrorCode.NotDirectory);
      expect(await failure(client.updateDir$(first.key))).toBe(EtcdErrorCode.NotDirectory);
      expect((await bare('GET', first.key)).body.node).toMatchObject({ value: v });
      expect((await succeed(client.setDir$(first.key))).prevNode).toMatchObject({ key: first.key, value: v });
      await succeed(client.deleteDir$(dir, { recursive: true }));
      expect((await bare('GET', dir)).status).toBe(404);
    });
  });
});
