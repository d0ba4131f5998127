import type { Mutant } from './mutant.ts';
import type { SqlChange } from './sql-change.ts';
import { CHANGES_OF_ARCHIVE } from './sql-changes-archive.ts';
import { CHANGES_OF_CHOOSING } from './sql-changes-choosing.ts';
import { CHANGES_OF_MOVING } from './sql-changes-moving.ts';
import { CHANGES_OF_QUARANTINE } from './sql-changes-quarantine.ts';
import { branches, conditions, handlers, sealed, statements, type Change } from './sql-rules.ts';

const MORE_CHANGES: readonly SqlChange[] = [
  ...CHANGES_OF_CHOOSING,
  ...CHANGES_OF_QUARANTINE,
  ...CHANGES_OF_ARCHIVE,
  ...CHANGES_OF_MOVING,
];

/** The files whose functions decide, and which scenarios notice first. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'db/029-partition-set.sql': ['inventory', 'bounds-and-periods', 'kinds-of-partition-sets'],
  'db/030-inventory.sql': ['inventory', 'deciding-functions', 'copied-ledger', 'unfinished-detach'],
  'db/031-candidates.sql': ['candidates', 'dry-run', 'copied-ledger'],
  'db/032-health.sql': ['maintenance-findings', 'candidates', 'unfinished-detach'],
  'db/035-seal.sql': ['tampered-after-verification', 'renamed-labels'],
  'db/036-refusals.sql': ['dependents', 'refused-partitions', 'constraints-and-columns', 'unfinished-detach'],
  'db/037-locks.sql': ['quarantine-out-of-turn', 'nobody-waits', 'copied-ledger', 'autovacuum', 'races'],
  'db/038-fence.sql': [
    ...['constraints-and-columns', 'handed-back', 'release-reverify', 'not-restorable', 'database-roles'],
    ...['nobody-waits', 'quarantine-out-of-turn', 'races'],
  ],
  'db/040-quarantine.sql': [
    ...['quarantine-out-of-turn', 'handed-back', 'constraints-and-columns', 'refused-partitions'],
    ...['database-roles', 'nobody-waits', 'empty-and-made-again', 'races'],
  ],
  'db/041-hand-back.sql': [
    'release-out-of-turn',
    'handed-back',
    'quarantine-out-of-turn',
    'nobody-waits',
    'release-reverify',
  ],
  'db/050-export.sql': [
    ...[
      'segments-out-of-turn',
      'quarantine-out-of-turn',
      'deciding-functions',
      'changed-between-segments',
      'copied-ledger',
      'handed-back',
      'split-segments',
      'late-verdicts',
      'not-restorable',
      'hostile-settings',
    ],
  ],
  'db/055-restorable.sql': ['not-restorable', 'hostile-settings'],
  'db/060-commit.sql': [
    ...[
      'deciding-functions',
      'segments-out-of-turn',
      'changed-between-segments',
      'modes',
      'refused-partitions',
    ],
  ],
  'db/070-drop.sql': [
    ...[
      'not-yet-to-be-dropped',
      'tampered-after-verification',
      'deciding-functions',
      'copied-ledger',
      'modes',
    ],
    ...['quarantine-out-of-turn', 'autovacuum'],
  ],
  'db/087-release.sql': [
    ...['release-out-of-turn', 'release-reverify', 'deciding-functions', 'copied-ledger', 'late-verdicts'],
  ],
  'db/087a-strangers.sql': ['move-in-recorded', 'move-in', 'copied-ledger', 'renamed-database'],
  'db/087b-move-in.sql': ['move-in-recorded', 'move-in', 'renamed-database'],
};

/** Every branch of the functions that decide, never and always taken, checks by halves, every statement left out, and more. */
export function sqlMutants(read: (file: string) => string): Mutant[] {
  return Object.entries(FILES).flatMap(([file, tests]) => {
    const text = read(file);
    const found = [
      ...[...conditions(text), ...handlers(text), ...statements(text), ...listed(text, file)],
      ...(file === 'db/036-refusals.sql'
        ? [
            ...branches(text, 'refusals', / from \(\n/, /\n {4}\) r\)/, 'null::text as reason'),
            ...branches(text, 'dependents_of', / lateral \(\n/, /\n {8}\) o /, 'null::oid'),
          ]
        : []),
      ...(file === 'db/035-seal.sql'
        ? [
            ...branches(text, 'type_facts', /fact \(line\) as \(\n/, /\)\n {2}select coal/, 'null::text'),
            ...sealed(text),
          ]
        : []),
    ];
    return found.map(({ start, end, replacement, what }) => ({
      ...{
        file,
        start,
        end,
        replacement,
        what,
        tests: tests.map((name) => `test/scenarios/${name}.test.ts`),
      },
      line: text.slice(0, start).split('\n').length,
    }));
  });
}

function listed(text: string, file: string): Change[] {
  return MORE_CHANGES.filter((each) => each.file === file).map(({ find, replacement, what }) => {
    const start = text.indexOf(find);
    if (start === -1 || text.includes(find, start + 1)) throw new Error(`${file} has not one ${find}`);
    return { start, end: start + find.length, replacement, what };
  });
}
