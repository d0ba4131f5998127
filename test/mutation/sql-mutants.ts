import type { Mutant } from './mutant.ts';
import { MORE_SQL_CHANGES } from './sql-changes.ts';

const scenario = (name: string): string => `test/scenarios/${name}.test.ts`;

/** The files whose functions decide, and which scenarios notice first. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'db/030-inventory.sql': [
    ...[
      'inventory',
      'deciding-functions',
      'maintenance-findings',
      'copied-ledger',
      'kinds-of-partition-sets',
      'modes',
    ],
    ...['unfinished-detach', 'empty-and-made-again'],
  ],
  'db/035-seal.sql': ['tampered-after-verification', 'renamed-labels'],
  'db/040-quarantine.sql': [
    ...[
      'deciding-functions',
      'refused-partitions',
      'handed-back',
      'constraints-and-columns',
      'copied-ledger',
    ],
    ...['database-roles', 'autovacuum', 'empty-and-made-again', 'races'],
  ],
  'db/050-export.sql': ['deciding-functions', 'changed-between-segments', 'copied-ledger', 'split-segments'],
  'db/060-commit.sql': ['deciding-functions', 'changed-between-segments', 'modes', 'release-reverify'],
  'db/070-drop.sql': [
    'not-yet-to-be-dropped',
    'tampered-after-verification',
    'deciding-functions',
    'modes',
    'autovacuum',
  ],
};

/** Every check of the functions that decide taken out, whole and by halves, every statement left out, and more. */
export function sqlMutants(read: (file: string) => string): Mutant[] {
  return Object.entries(FILES).flatMap(([file, tests]) => {
    const text = read(file);
    const found = [
      ...checks(text),
      ...statements(text),
      ...listed(text, file),
      ...(file === 'db/040-quarantine.sql' ? branches(text, 'refusals', / from \(\n/, /\n {4}\) r\)/) : []),
      ...(file === 'db/035-seal.sql'
        ? branches(text, 'type_facts', /fact \(line\) as \(\n/, /\)\n {2}select coal/)
        : []),
      ...(file === 'db/035-seal.sql' ? sealed(text) : []),
    ];
    return found.map(({ start, end, replacement, what }) => ({
      ...{ file, start, end, replacement, what, tests: tests.map(scenario) },
      line: text.slice(0, start).split('\n').length,
    }));
  });
}

type Change = Pick<Mutant, 'start' | 'end' | 'replacement' | 'what'>;

/** `if … then raise`: never, and without each of its operands. */
function checks(text: string): Change[] {
  return [...text.matchAll(/^ *(?:els)?if ((?:(?!\bthen\b)[\s\S])*?)\s+then\s+raise exception/gm)].flatMap(
    (match) => {
      const [whole, condition = ''] = match;
      const start = match.index + whole.indexOf(condition);
      const never = { start, end: start + condition.length, replacement: 'false', what: 'check left out' };
      const parts = operands(condition).map(({ at, length, by }) => ({
        ...{ start: start + at, end: start + at + length },
        ...{ replacement: by === 'or' ? 'false' : 'true', what: 'half of a check left out' },
      }));
      return [never, ...parts];
    },
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
      return { at, length: end - at, by };
    });
  }
  return [];
}

/** PERFORM and EXECUTE, each left out; what calls them goes on. */
function statements(text: string): Change[] {
  return [...text.matchAll(/^ +(?:perform|execute) [^;]*;$/gm)]
    .filter(([whole]) => !whole.includes(' into '))
    .map((match) => ({
      start: match.index + match[0].search(/\S/),
      end: match.index + match[0].length,
      replacement: 'null;',
      what: 'statement left out',
    }));
}

/** Each branch of the UNION ALL in a function left out. */
function branches(text: string, name: string, from: RegExp, to: RegExp): Change[] {
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
      return { start, end: at, replacement: 'select null::text where false\n', what: 'branch left out' };
    });
}

/** Each part of what is sealed of columns and fence left out. */
function sealed(text: string): Change[] {
  return [...text.matchAll(/jsonb_build_array\(([at]\.[^;]*?)\) order by/g)].flatMap((match) => {
    const [whole, list = ''] = match;
    const start = match.index + whole.indexOf(list);
    return [...list.matchAll(/[at]\.\w+(?:::text)?/g)].map((part) => ({
      ...{ start: start + part.index, end: start + part.index + part[0].length },
      ...{ replacement: 'null', what: 'part of the seal left out' },
    }));
  });
}

function listed(text: string, file: string): Change[] {
  return MORE_SQL_CHANGES.filter((each) => each.file === file).map(({ find, replacement, what }) => {
    const start = text.indexOf(find);
    if (start === -1 || text.includes(find, start + 1)) throw new Error(`${file} has not one ${find}`);
    return { start, end: start + find.length, replacement, what };
  });
}
