/**
 * The last step of the build: makes dist/cjs a CommonJS package of its own, inside a package whose type is module.
 * Bundlers read the package.json nearest to a file, so it also carries what they look for there.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { browser, sideEffects } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const fromEsmRoot = (path) => path.replace('./dist/esm/', './');
const entries = Object.entries(browser).map(([node, web]) => [fromEsmRoot(node), fromEsmRoot(web)]);

writeFileSync(
  new URL('dist/cjs/package.json', root),
  JSON.stringify({ type: 'commonjs', sideEffects, browser: Object.fromEntries(entries) }, null, 2) + '\n',
);
