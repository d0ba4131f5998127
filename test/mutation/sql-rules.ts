import type { Mutant } from './mutant.ts';

/** A change of a file. */
export type Change = Pick<Mutant, 'start' | 'end' | 'replacement' | 'what'>;

/**
 * The same offsets, with blanks for what is no code: comments, what is between quotes (a word of a message, `then` far below it) and
 * `exit when`, whose loop might never end. Bodies of functions and statements between dollars stay.
 */
const codeOf = (text: string): string =>
  text.replaceAll(/--.*|'(?:[^']|'')*'|exit when/g, (found) =>
    found.startsWith("'") ? `'${found.slice(1, -1).replaceAll(/./g, ' ')}'` : ' '.repeat(found.length),
  );

/**
 * Each IF, each CONTINUE WHEN and each WHEN of a CASE: never, always, and without each of its operands. An IF that raises is not
 * tried always: every use of the function would notice.
 */
export function conditions(text: string): Change[] {
  const each =
    /^ *(?:els)?if (?<if>(?:(?!\bthen\b)[\s\S])*?)\s+then\b(?<raises>\s+raise exception)?|\bcontinue when (?<skips>[^;]+)(?=;)|(?:\bcase (?<of>[\w.]+)\s+)?\bwhen (?<when>(?:(?!\bthen\b)[\s\S])*?)\s+then\b/gm;
  const code = codeOf(text);
  const caught = new Set([...code.matchAll(HANDLER)].map(({ index }) => index));
  return [...code.matchAll(each)].flatMap((match) => {
    const { if: tested, skips, when = '', raises, of } = match.groups ?? {};
    const condition = tested ?? skips ?? when;
    const start = match.index + match[0].lastIndexOf(condition);
    if (caught.has(start)) return [];
    const whole = { start, end: start + condition.length };
    const parts = operands(condition).map(({ at, length, by }) => ({
      start: start + at,
      end: start + at + length,
      replacement: by === 'or' ? 'false' : 'true',
      what: 'half of a condition left out',
    }));
    // `case x when y`: never is no value, always is x itself, which only the first branch knows here.
    const value = of !== undefined || condition.startsWith("'");
    const always = value ? of : 'true';
    return [
      { ...whole, replacement: value ? 'null' : 'false', what: 'branch never taken' },
      ...(raises === undefined && always !== undefined
        ? [{ ...whole, replacement: always, what: 'branch always taken' }]
        : []),
      ...parts,
    ];
  });
}

/** What a handler catches: names of conditions, and SQLSTATEs. Behind the WHEN of a CASE is a value or a comparison. */
const HANDLER =
  /(?<=(?:\bexception|;)\s+when\s+)(?:[a-z_]+|sqlstate '[^']*')(?:\s+or\s+(?:[a-z_]+|sqlstate '[^']*'))*(?=\s+then\b)/g;

/** Each handler of an exception, and each part of one, for an exception that never comes. */
export function handlers(text: string): Change[] {
  return [...codeOf(text).matchAll(HANDLER)].flatMap((handler) =>
    [...handler[0].matchAll(/sqlstate '[^']*'|\b(?!or\b)[a-z_]+/g)].map((caught) => ({
      start: handler.index + caught.index,
      end: handler.index + caught.index + caught[0].length,
      replacement: 'division_by_zero',
      what: 'handler left out',
    })),
  );
}

/** The operands of the outermost OR, or else AND, of a condition; none if it has only one. */
function operands(condition: string): { at: number; length: number; by: 'or' | 'and' }[] {
  for (const by of ['or', 'and'] as const) {
    const cuts = [0];
    let depth = 0;
    let quoted = false;
    for (let at = 0; at < condition.length; at += 1) {
      const character = condition[at];
      if (character === "'") quoted = !quoted;
      else if (!quoted && character === '(') depth += 1;
      else if (!quoted && character === ')') depth -= 1;
      const word = new RegExp(`^\\s${by}\\s`).exec(condition.slice(at));
      if (!quoted && depth === 0 && word !== null) cuts.push(at, at + word[0].length);
    }
    cuts.push(condition.length);
    if (cuts.length === 2) continue;
    return Array.from({ length: cuts.length / 2 }, (_, index) => {
      const [at = 0, end = 0] = cuts.slice(index * 2, index * 2 + 2);
      return { at, length: condition.slice(at, end).trimEnd().length, by };
    });
  }
  return [];
}

/** PERFORM and EXECUTE, each left out; what calls them continues. */
export function statements(text: string): Change[] {
  return [...codeOf(text).matchAll(/^ +(?:perform|execute) [^;]*;$/gm)]
    .filter(([whole]) => !whole.includes(' into '))
    .map((match) => ({
      start: match.index + match[0].search(/\S/),
      end: match.index + match[0].length,
      replacement: 'null;',
      what: 'statement left out',
    }));
}

/** Each branch of the UNION ALL in a function left out; `nothing` is of its type. */
export function branches(text: string, name: string, from: RegExp, to: RegExp, nothing: string): Change[] {
  const begin = text.indexOf(`function partition_archiver.${name}(`);
  const first =
    begin + (from.exec(text.slice(begin))?.index ?? 0) + (from.exec(text.slice(begin))?.[0].length ?? 0);
  const last = first + (to.exec(text.slice(first))?.index ?? 0);
  let at = first;
  return text
    .slice(first, last)
    .split(/^ +union all\n/m)
    .map((branch) => {
      const start = text.indexOf(branch, at);
      at = start + branch.length;
      return { start, end: at, replacement: `select ${nothing} where false\n`, what: 'branch left out' };
    });
}

/** Each part of what is sealed of columns and fence left out. */
export function sealed(text: string): Change[] {
  return [...text.matchAll(/jsonb_build_array\(([at]\.[^;]*?)\)\s+order by/g)].flatMap((match) => {
    const [whole, list = ''] = match;
    const start = match.index + whole.indexOf(list);
    return [...list.matchAll(/[at]\.\w+(?:::text)?/g)].map((part) => ({
      start: start + part.index,
      end: start + part.index + part[0].length,
      replacement: 'null',
      what: 'part of the seal left out',
    }));
  });
}
