import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, forkJoin } from 'rxjs';
import { findEtcd } from './find-etcd.js';

const saved = { ...process.env };
afterEach(() => {
  process.env = { ...saved };
});

describe('findEtcd', () => {
  test.each([
    ['bullseye', '3.3.25'],
    ['bookworm', '3.4.23'],
    ['trixie', '3.5.16'],
  ] as const)('finds the etcd of %s whatever else there is', async (release, version) => {
    process.env['ETCD_BIN'] = '/nowhere/etcd';
    expect((await firstValueFrom(findEtcd({ release }))).version).toBe(version);
  });

  test('takes $ETCD_BIN first and complains when that does not run', async () => {
    const { path } = await firstValueFrom(findEtcd({ release: 'bullseye' }));
    process.env['ETCD_BIN'] = path;
    expect(await firstValueFrom(findEtcd())).toEqual({ path, version: '3.3.25' });
    process.env['ETCD_BIN'] = '/nowhere/etcd';
    await expect(firstValueFrom(findEtcd())).rejects.toThrow(
      /nowhere.*Install Debian's etcd-server, or set ETCD_BIN/,
    );
  });

  test('takes etcd from PATH next', async () => {
    const { path } = await firstValueFrom(findEtcd({ release: 'trixie' }));
    delete process.env['ETCD_BIN'];
    process.env['PATH'] = join(path, '..');
    expect(await firstValueFrom(findEtcd())).toEqual({ path, version: '3.5.16' });
  });

  test('several at once fetch into an empty cache and leave only the finished tree', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'cache-'));
    process.env['RXETCD_CACHE'] = cache;
    try {
      const found = await firstValueFrom(forkJoin([1, 2, 3].map(() => findEtcd({ release: 'bullseye' }))));
      expect(new Set(found.map(({ path }) => path)).size).toBe(1);
      expect(readdirSync(cache)).toEqual([`etcd-bullseye-${process.arch}`]);
    } finally {
      rmSync(cache, { recursive: true });
    }
  });

  test('says how to get one where nothing works, and leaves nothing behind', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'cache-'));
    process.env['RXETCD_CACHE'] = cache;
    process.env['PATH'] = cache;
    delete process.env['ETCD_BIN'];
    await expect(firstValueFrom(findEtcd())).rejects.toThrow(
      /apt-get.*Install Debian's etcd-server, or set ETCD_BIN/,
    );
    expect(readdirSync(cache)).toEqual([]);
    rmSync(cache, { recursive: true });
  });
});
