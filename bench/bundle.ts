/** What a page loads for the client, without rxjs and axios, which it shares with the rest of the page. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Section } from './figure.js';

export const bundle: Section = async () => {
  const { stdout } = await promisify(execFile)('npx', ['size-limit', '--json']).catch(
    // It exits with 1 where a limit is passed; the figure is there all the same.
    (error: unknown) => error as { stdout: string },
  );
  const [{ size }] = JSON.parse(stdout) as [{ size: number }];
  return [
    {
      bar: 'browser bundle, minified and gzipped, without rxjs and axios, KB',
      measured: size / 1_000,
      target: { most: 38 },
    },
  ];
};
