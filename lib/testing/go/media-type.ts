const token = /^[!#$%&'*+\-.^`|~\w]+/;
const parameter = /^\s*;\s*([!#$%&'*+\-.^`|~\w]+)\s*=\s*(?:[!#$%&'*+\-.^`|~\w]+|"(?:[^"\\]|\\.)*")/;

/** What a Content-Type says, or what Go finds wrong with it. */
export interface MediaType {
  readonly type: string;
  readonly problem?: string;
}

export function readMediaType(header: string): MediaType {
  const semicolon = header.indexOf(';');
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  const problem = typeProblem(type);
  if (problem !== undefined) return { type: '', problem: `mime: ${problem}` };
  const names = new Set<string>();
  for (let rest = semicolon < 0 ? '' : header.slice(semicolon); rest.trim() !== '';) {
    const [all, name] = parameter.exec(rest) ?? [];
    if (all === undefined || name === undefined) {
      return rest.trim() === ';' ? { type } : { type, problem: 'mime: invalid media parameter' };
    }
    if (names.has(name.toLowerCase())) return { type: '', problem: 'mime: duplicate parameter name' };
    names.add(name.toLowerCase());
    rest = rest.slice(all.length);
  }
  return { type };
}

function typeProblem(type: string): string | undefined {
  const [main] = token.exec(type) ?? [];
  if (main === undefined) return 'no media type';
  const rest = type.slice(main.length);
  if (rest === '') return undefined;
  if (!rest.startsWith('/')) return 'expected slash after first token';
  const [sub] = token.exec(rest.slice(1)) ?? [];
  if (sub === undefined) return 'expected token after slash';
  return rest.length > sub.length + 1 ? 'unexpected content after media subtype' : undefined;
}
