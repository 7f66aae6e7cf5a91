import { buildSync } from 'esbuild';
import { symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Bundles a program of this repository, as it is now, with the library into a folder; returns the script. The library is
 * found by `paths` of tsconfig.json; what it depends on stays outside.
 *
 * @param source its path from the root
 */
export function bundleProgram(source: string, folder: string, root = process.cwd()): string {
  const script = join(folder, `${basename(source, '.ts')}.mjs`);
  buildSync({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['rxjs', 'axios', 'undici'],
    // A program of specs may import a module for what it does: package.json's "sideEffects" speaks of the library alone.
    ignoreAnnotations: true,
    logLevel: 'silent',
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return script;
}
