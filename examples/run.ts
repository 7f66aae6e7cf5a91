/** `npm run example -- NAME ...` runs an example of this folder; without a name it lists them. */
import { readdirSync } from 'node:fs';
import { parse } from 'node:path';

const here = new URL('.', import.meta.url);
const names = readdirSync(here)
  .filter((file) => file.endsWith('.js') && file !== 'run.js')
  .map((file) => parse(file).name);
const [name = ''] = process.argv.slice(2);

if (names.includes(name)) {
  await import(new URL(`${name}.js`, here).href);
} else {
  console.error(`npm run example -- ${names.join(' | ')}`);
  process.exitCode = 1;
}
