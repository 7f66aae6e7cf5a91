import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, defer, firstValueFrom, throwError, timer } from 'rxjs';
import { eventually } from '../jest/eventually.js';
import { withFileLock } from './file-lock.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('withFileLock', () => {
  test('lets one work at a time', async () => {
    let [inside, most] = [0, 0];
    const work = defer(() => {
      most = Math.max(most, ++inside);
      return timer(20).pipe((source) => defer(async () => (await firstValueFrom(source), inside--)));
    });
    await Promise.all([1, 2, 3].map(() => firstValueFrom(withFileLock(file, work))));
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  test('gives the lock back after an error and after unsubscribing', async () => {
    await expect(
      firstValueFrom(
        withFileLock(
          file,
          throwError(() => new Error('broken')),
        ),
      ),
    ).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
    const subscription = withFileLock(file, NEVER).subscribe();
    await eventually(() => existsSync(file));
    subscription.unsubscribe();
    expect(existsSync(file)).toBe(false);
  });

  test('takes over the lock of a dead process', async () => {
    const { pid } = spawnSync('true');
    writeFileSync(file, String(pid));
    expect(await firstValueFrom(withFileLock(file, timer(0)))).toBe(0);
  });
});
