import * as rxetcd from 'rxetcd';
import { EtcdClient } from 'rxetcd';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '..');
/** The files of a folder by their ending, those of its folders too if `recursive`. */
const filesIn = (folder: string, ending: string, recursive = true): string[] =>
  readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(root, folder, file))
    .sort();
const pages = filesIn('docs', '.md');
const markdown = [...filesIn('.', '.md', false), ...pages];
const sources = filesIn('lib', '.ts');
const read = (file: string): string => readFileSync(file, 'utf8');
const shown = (file: string): string => relative(root, file);

interface Block {
  /** Where it stands, and the line of its first line of code, from 0. */
  readonly file: string;
  readonly line: number;
  readonly extension: string;
  readonly code: string;
}

/** ES modules by `ts`, CommonJS by `js`. */
const extensions: Record<string, string> = { ts: 'ts', js: 'cjs' };

/** The fenced blocks of a Markdown file, or of a source file's doc comments. */
function blocksOf(file: string): Block[] {
  const prefix = file.endsWith('.ts') ? /^ *\* ?/ : /^/;
  const blocks: Block[] = [];
  let open: { line: number; language: string; code: string[] } | undefined;
  for (const [i, raw] of read(file).split('\n').entries()) {
    const line = prefix.test(raw) ? raw.replace(prefix, '') : undefined;
    const fence = line === undefined ? null : /^```(\w*)/.exec(line);
    if (open === undefined) {
      if (fence !== null) open = { line: i + 1, language: fence[1]!, code: [] };
    } else if (fence !== null) {
      const extension = extensions[open.language];
      if (extension !== undefined)
        blocks.push({ file, line: open.line, extension, code: open.code.join('\n') });
      open = undefined;
    } else open.code.push(line ?? '');
  }
  if (open !== undefined) throw new Error(`${shown(file)}:${open.line}: the block is never closed`);
  return blocks;
}

/** What TypeScript finds in the blocks, by the line at which it stands; one program for all of them. */
function diagnose(blocks: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // An example shows a thing and need not use it.
  Object.assign(options, { allowJs: true, checkJs: true, noUnusedLocals: false, types: ['node'] });
  options.moduleDetection = ts.ModuleDetectionKind.Force;

  // Each block is a file of its own beside the one that it stands in, and begins at the same line.
  const modules = new Map(
    blocks.map((block) => [
      `${block.file}.${block.line}.${block.extension}`,
      { ...block, text: '\n'.repeat(block.line) + block.code },
    ]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists(name);
  host.readFile = (name) => modules.get(name)?.text ?? readFile(name);
  host.getSourceFile = (name, settings, ...rest) => {
    const module = modules.get(name);
    return module === undefined
      ? getSourceFile(name, settings, ...rest)
      : ts.createSourceFile(name, module.text, settings);
  };
  const program = ts.createProgram([...modules.keys()], options, host);
  return [...modules].flatMap(([name, { file }]) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
        return `${shown(file)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}

/** A Markdown file without its fenced blocks; the lines stay where they are. */
const proseOf = (file: string): string =>
  read(file).replace(/^```[^]*?^```/gm, (block) => block.replace(/[^\n]/g, ''));

/** What headings can be linked by, as GitHub makes it. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(file).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/ /g, '-');
    const same = [...Array(anchors.size).keys()].map((n) => `${anchor}-${n + 1}`);
    anchors.add([anchor, ...same].find((name) => !anchors.has(name)) ?? anchor);
  }
  return anchors;
}

/** Links to files and headings of this repository that lead nowhere. */
function deadLinksOf(file: string): string[] {
  const prose = proseOf(file);
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(({ 1: target = '', index }) => {
    if (/^[a-z]+:/i.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const there = path === '' ? file : resolve(dirname(file), decodeURIComponent(path));
    const leads = existsSync(there) && (anchor === undefined || anchorsOf(there).has(anchor));
    return leads ? [] : [`${shown(file)}:${prose.slice(0, index).split('\n').length}: ${target}`];
  });
}

describe('the examples', () => {
  const blocks = [...markdown, ...sources].flatMap(blocksOf);
  const broken: Block = {
    file: join(root, 'docs/broken.md'),
    line: 6,
    extension: 'ts',
    code: "import { EtcdClient } from 'rxetcd';\nnew EtcdClient().gett$('/k');",
  };
  let found: string[] = [];

  beforeAll(() => {
    found = diagnose([...blocks, broken]);
  });

  it('stand in README, docs and doc comments', () => {
    const files = new Set(blocks.map(({ file }) => shown(file)));
    expect([...files]).toEqual(
      expect.arrayContaining([
        'README.md',
        'docs/configuration.md',
        'docs/migration.md',
        'lib/client/etcd-client.ts',
      ]),
    );
  });

  it('compile against lib as they stand', () => {
    expect(found.filter((line) => !line.startsWith('docs/broken.md'))).toEqual([]);
  });

  it('would be told by file and line if they did not', () => {
    const told = found.filter((line) => line.startsWith('docs/broken.md'));
    expect(told).toEqual([expect.stringContaining("docs/broken.md:8: Property 'gett$' does not exist")]);
  });
});

describe('the links', () => {
  it.each(markdown.map(shown))('of %s lead to files and headings that exist', (file) => {
    expect(deadLinksOf(join(root, file))).toEqual([]);
  });

  it('reach every page from the index', () => {
    const index = read(join(root, 'docs/README.md'));
    const names = pages.map((page) => relative(join(root, 'docs'), page));
    expect(names.filter((name) => name !== 'README.md' && !index.includes(`](${name})`))).toEqual([]);
  });
});

describe('the public names', () => {
  const texts = [join(root, 'README.md'), ...pages].map(read).join('\n');
  const isMentioned = (name: string): boolean =>
    new RegExp(`(?<![\\w$])${name.replace(/[$.]/g, '\\$&')}(?![\\w$])`).test(texts);
  const namesOf = (prototype: object): string[] =>
    Object.getOwnPropertyNames(prototype).filter(
      (name) => !['constructor', 'toString', 'toJSON'].includes(name),
    );

  const client = new EtcdClient();
  const parts = { members: client.members, stats: client.stats, auth: client.auth };
  const methods = [
    ...namesOf(EtcdClient.prototype),
    ...Object.keys(client),
    'connect$',
    ...Object.entries(parts).flatMap(([part, api]) =>
      namesOf(Object.getPrototypeOf(api) as object).map((name) => `${part}.${name}`),
    ),
  ];
  client.close();

  it('include every method of the client and of its parts', () => {
    expect(methods).toEqual(
      expect.arrayContaining(['get$', 'watch$', 'members.list$', 'stats.self$', 'auth.enable$']),
    );
    expect(methods.filter((name) => !isMentioned(name))).toEqual([]);
  });

  it('include every error and every guard', () => {
    const names = Object.keys(rxetcd).filter((name) => /^is[A-Z]|Error(Code)?$/.test(name));
    expect(names).toEqual(expect.arrayContaining(['isKeyNotFound', 'OutcomeUnknownError']));
    const page = read(join(root, 'docs/errors.md'));
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
