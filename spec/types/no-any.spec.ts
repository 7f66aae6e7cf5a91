import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '../..');

/** The declarations that the build would emit, by the file that they would be beside. */
function declarations(): Map<string, string> {
  const { config } = ts.readConfigFile(join(root, 'lib/tsconfig.esm.json'), ts.sys.readFile) as {
    config: object;
  };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'lib'));
  const program = ts.createProgram(fileNames, {
    ...options,
    outDir: join(root, 'lib'),
    emitDeclarationOnly: true,
    // Whether the types are right is for `npm run typecheck`.
    noCheck: true,
  });
  const emitted = new Map<string, string>();
  program.emit(undefined, (file, text) => emitted.set(relative(root, file), text), undefined, true);
  return emitted;
}

/** Where `any` stands in the declarations that `entries` lead to, as `file:line: text`. */
function anysIn(files: ReadonlyMap<string, string>, entries: readonly string[]): string[] {
  const found: string[] = [];
  const wanted = new Set(entries);
  for (const file of wanted) {
    const text = files.get(file);
    if (text === undefined) throw new Error(`${file} is not emitted`);
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
    const visit = (node: ts.Node): void => {
      const line = source.getLineAndCharacterOfPosition(node.pos).line;
      if (node.kind === ts.SyntaxKind.AnyKeyword)
        found.push(`${file}:${line + 1}: ${text.split('\n')[line]!.trim()}`);
      // `import ... from`, `export ... from` and `import('...')`
      if (ts.isStringLiteral(node) && node.text.startsWith('.') && isModuleName(node.parent))
        wanted.add(join(dirname(file), node.text.replace(/\.js$/, '.d.ts')));
      ts.forEachChild(node, (child) => {
        (child as { parent: ts.Node }).parent = node;
        visit(child);
      });
    };
    visit(source);
  }
  return found;
}

const isModuleName = (parent: ts.Node): boolean =>
  ts.isImportDeclaration(parent) ||
  ts.isExportDeclaration(parent) ||
  (ts.isLiteralTypeNode(parent) && ts.isImportTypeNode(parent.parent));

describe('the declarations that users get', () => {
  it('have no `any` in them', () => {
    const emitted = declarations();
    expect(anysIn(emitted, ['lib/index.d.ts', 'lib/testing/index.d.ts'])).toEqual([]);
  });

  it('would be found out by file and line, behind an import too', () => {
    const files = new Map([
      ['lib/index.d.ts', "export { a } from './a.js';\nexport type B = import('./b.js').B;"],
      ['lib/a.d.ts', '/** any */\nexport declare const a: { readonly any: Record<string, any> };'],
      ['lib/b.d.ts', 'export type B = any[];'],
      ['lib/c.d.ts', 'export type C = any;'],
    ]);
    expect(anysIn(files, ['lib/index.d.ts'])).toEqual([
      'lib/a.d.ts:2: export declare const a: { readonly any: Record<string, any> };',
      'lib/b.d.ts:1: export type B = any[];',
    ]);
  });
});
