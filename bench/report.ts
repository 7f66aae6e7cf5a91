import { readFile, writeFile } from 'node:fs/promises';
import { reaches, type Figure } from './figure.js';

const number = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);

function target(figure: Figure): string {
  if (figure.target === undefined) return '';
  const text =
    'least' in figure.target
      ? `at least ${number(figure.target.least)}`
      : `at most ${number(figure.target.most)}`;
  return reaches(figure) === true ? text : `**${text}**`;
}

/** The figures as a table of Markdown; a target that was missed is bold. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.bar,
    number(figure.measured) +
      (figure.range === undefined ? '' : ` (${figure.range.map(number).join(' to ')})`),
    target(figure),
    figure.beside ?? '',
  ]);
  return [['what', 'measured (least to most)', 'bar', 'beside it'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const begin = '<!-- figures: written by `npm run bench` -->';
const end = '<!-- end of the figures -->';

/** Puts the table between the marks of the README. */
export async function inReadme(measuredWith: string, figures: readonly Figure[]): Promise<void> {
  const text = await readFile('README.md', 'utf8');
  const [before, rest] = [text.split(begin)[0], text.split(end)[1]];
  if (before === undefined || rest === undefined) throw new Error('README.md has no place for the figures');
  const { format, resolveConfig } = await import('prettier');
  const next = `${before}${begin}\n\n${measuredWith}\n\n${table(figures)}\n\n${end}${rest}`;
  await writeFile(
    'README.md',
    await format(next, { ...(await resolveConfig('README.md')), parser: 'markdown' }),
  );
}
