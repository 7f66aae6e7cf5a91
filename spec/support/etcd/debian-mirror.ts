import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Source {
  uris: string[];
  suites: string[];
  components: string[];
}

const debianSuites = [
  'buster',
  'bullseye',
  'bookworm',
  'trixie',
  'forky',
  'sid',
  'oldstable',
  'stable',
  'testing',
  'unstable',
];

/**
 * The URI of the main Debian archive that this machine's own apt sources name (`aptDir`, default /etc/apt), or undefined
 * where there is none. Reads one-line `.list` files and deb822 `.sources` files.
 */
export function debianMirror(aptDir = '/etc/apt'): string | undefined {
  const uris = sourceFiles(aptDir)
    .flatMap((file) => (file.endsWith('.list') ? oneLineSources : deb822Sources)(readFileSync(file, 'utf8')))
    .filter(
      ({ suites, components }) =>
        components.includes('main') && suites.some((suite) => debianSuites.includes(suite)),
    )
    .flatMap((source) => source.uris);
  // Other vendors publish for Debian's suites too; the archive itself is nearly always called ".../debian".
  return uris.find((uri) => /\/debian(\.list)?\/?$/.test(uri)) ?? uris[0];
}

function sourceFiles(aptDir: string): string[] {
  const parts = join(aptDir, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  return [join(aptDir, 'sources.list'), ...names.map((name) => join(parts, name))].filter(
    (file) => existsSync(file) && /\.(list|sources)$/.test(file),
  );
}

/** `deb [options] uri suite component...`, one a line, `#` starts a comment. */
function oneLineSources(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    return match ? [{ uris: [match[1]!], suites: [match[2]!], components: words(match[3]) }] : [];
  });
}

/** Stanzas of `Field: values` divided by empty lines; a line that starts with a space goes on, `#` lines are comments. */
function deb822Sources(text: string): Source[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .replace(/\n[ \t]+(?=\S)/g, ' ')
    .split(/\n\s*\n/)
    .map((stanza) => (field: string) => words(new RegExp(`^${field}:(.*)$`, 'im').exec(stanza)?.[1]))
    .filter((field) => field('Types').includes('deb') && field('Enabled')[0] !== 'no')
    .map((field) => ({ uris: field('URIs'), suites: field('Suites'), components: field('Components') }));
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter(Boolean);
}
