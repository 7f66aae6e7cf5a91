import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Observable, concatMap, defer, finalize, map, of } from 'rxjs';
import { debianMirror } from './debian-mirror.js';
import { withFileLock } from '../programs/file-lock.js';
import { runCommand } from '../programs/run-command.js';

/** Debian suites by the etcd they hold: 3.3.25, 3.4.23, 3.5.16; sid, which moves on, 3.5.30 or later. */
export const debianReleases = ['bullseye', 'bookworm', 'trixie', 'sid'] as const;
export type DebianRelease = (typeof debianReleases)[number];

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The packages of Debian by the program that they hold. */
const packages = { etcd: 'etcd-server', etcdctl: 'etcd-client' };

/**
 * Emits the path of etcd, or of etcdctl, of a Debian suite: from the cache folder ($RXETCD_CACHE, default
 * ${XDG_CACHE_HOME:-~/.cache}/rxetcd), else downloaded with apt into it and unpacked there. Needs no root, installs nothing and
 * leaves the machine's own apt state alone. Any number of processes may ask at once.
 */
export function debianEtcd(
  release: DebianRelease,
  program: keyof typeof packages = 'etcd',
): Observable<string> {
  return defer(() => {
    const cache =
      process.env['RXETCD_CACHE'] ??
      join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rxetcd');
    const home = join(cache, `${program}-${release}-${process.arch}`);
    const binary = join(home, 'usr', 'bin', program);
    if (existsSync(binary)) return of(binary);
    mkdirSync(cache, { recursive: true });
    const fetch$ = defer(() =>
      existsSync(binary) ? of(home) : download(release, packages[program], cache, home),
    );
    return withFileLock(`${home}.lock`, fetch$).pipe(map(() => binary));
  });
}

/** Everything happens in a folder of its own; only the finished tree is renamed to `home`. */
function download(release: DebianRelease, name: string, cache: string, home: string): Observable<string> {
  const work = mkdtempSync(join(cache, 'download-'));
  const tree = join(work, 'tree');
  const apt = (...args: string[]) =>
    runCommand('apt-get', [...aptOptions(release, work), ...args], { cwd: work });
  return apt('update').pipe(
    concatMap(() => apt('download', name)),
    concatMap(() => runCommand('dpkg-deb', ['-x', packageFile(work), tree])),
    map(() => (moveInto(tree, home), home)),
    finalize(() => rmSync(work, { recursive: true, force: true })),
  );
}

/** Points apt at a state, a cache and one source of its own, all below `work`. */
function aptOptions(release: DebianRelease, work: string): string[] {
  const mirror = debianMirror();
  if (mirror === undefined) throw new Error('no Debian archive among the apt sources of this machine');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${release} main\n`);
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::Lists': join(work, 'state', 'lists'),
    'Dir::State::Status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'Dir::Etc::Preferences': '-',
    'Dir::Etc::PreferencesParts': join(work, 'parts'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    // As root apt hands its downloads to the user _apt, who may not write to this folder.
    ...(process.getuid?.() === 0 && { 'APT::Sandbox::User': 'root' }),
  };
  return ['-qq', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

function packageFile(folder: string): string {
  const name = readdirSync(folder).find((file) => file.endsWith('.deb'));
  if (name === undefined) throw new Error('apt-get download left no package');
  return join(folder, name);
}

function moveInto(tree: string, home: string): void {
  try {
    renameSync(tree, home);
  } catch (error) {
    // Another process was first: its tree is as good.
    if (!existsSync(home)) throw error;
  }
}
