import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianMirror } from './debian-mirror.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apt-'));
  mkdirSync(join(folder, 'sources.list.d'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, ...lines: string[]) => writeFileSync(join(folder, name), lines.join('\n'));

describe('debianMirror', () => {
  test('reads one-line sources, with options, past comments, the security archive and source packages', () => {
    write(
      'sources.list',
      '# deb http://old.test/debian bookworm main',
      'deb-src http://source.test/debian bookworm main',
      'deb http://security.test/debian-security bookworm-security main',
      'deb [arch=amd64 signed-by=/some/key.gpg] http://mirror.test/debian/ bookworm main contrib # ours',
    );
    expect(debianMirror(folder)).toBe('http://mirror.test/debian/');
  });

  test('reads deb822 sources, past comments and disabled stanzas, with lines that go on', () => {
    write(
      'sources.list.d/debian.sources',
      'Types: deb',
      'URIs: http://off.test/debian',
      'Suites: bookworm',
      'Components: main',
      'Enabled: no',
      '',
      'Types: deb deb-src',
      '# http://snapshot.test/debian',
      'URIs: http://mirror.test/debian',
      'Suites: bookworm',
      ' bookworm-updates',
      'Components: main',
    );
    expect(debianMirror(folder)).toBe('http://mirror.test/debian');
  });

  test("prefers Debian's own archive to another vendor's for the same suite", () => {
    write('sources.list.d/a.list', 'deb http://vendor.test/debian/12/prod bookworm main');
    write('sources.list.d/b.list', 'deb http://mirror.test/debian bookworm main');
    write('sources.list.d/c.list.disabled', 'deb http://off.test/debian bookworm main');
    expect(debianMirror(folder)).toBe('http://mirror.test/debian');
  });

  test('knows none where there is none', () => {
    write('sources.list', 'deb http://vendor.test/apt nodistro main');
    expect(debianMirror(folder)).toBeUndefined();
    expect(debianMirror(join(folder, 'absent'))).toBeUndefined();
  });
});
