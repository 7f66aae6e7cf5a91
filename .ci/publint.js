/**
 * Lints the packed package: `node .ci/publint.js TARBALL`. One rule does not hold: Node takes "imports" from the package.json
 * nearest to a file (https://nodejs.org/api/packages.html#determining-module-system: "package scope"), so that of dist/cjs counts.
 */
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const bytes = readFileSync(process.argv[2]);
const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
const flaws = messages.filter(
  ({ code, args }) => !(code === 'NESTED_PACKAGE_JSON_FIELD_IGNORED' && args.field === 'imports'),
);
for (const flaw of flaws) console.error(formatMessage(flaw, pkg));
process.exitCode = flaws.length > 0 ? 1 : 0;
