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
  'db/archive/partition-set.sql': [
    'archive/inventory',
    'archive/bounds-and-periods',
    'archive/kinds-of-partition-sets',
    'ledger/changed-key',
  ],
  'db/archive/inventory.sql': [
    'archive/inventory',
    'archive/deciding-functions',
    'ledger/copied-ledger',
    'archive/unfinished-detach',
    'archive/empty-and-made-again',
    'ledger/changed-key',
  ],
  'db/archive/candidates.sql': [
    'archive/candidates',
    'archive/dry-run',
    'ledger/copied-ledger',
    'ledger/changed-key',
  ],
  'db/archive/health.sql': [
    'archive/set-health',
    'archive/maintenance-findings',
    'archive/candidates',
    'archive/unfinished-detach',
  ],
  'db/archive/seal.sql': ['archive/tampered-after-verification', 'archive/renamed-labels'],
  'db/archive/refusals.sql': [
    'archive/dependents',
    'archive/refused-partitions',
    'archive/constraints-and-columns',
    'archive/unfinished-detach',
    'archive/stays-attached',
  ],
  'db/archive/locks.sql': [
    'archive/lock-timeouts',
    'archive/quarantine-wrong-state',
    'archive/unknown-ids',
    'ledger/copied-ledger',
    'archive/autovacuum',
    'archive/autovacuum-of-toast',
    'archive/busy-application',
    'archive/races',
  ],
  'db/archive/fence.sql': [
    'archive/constraints-and-columns',
    'ledger/return-to-owner',
    'reverify/reverify',
    'archive/fidelity',
    'archive/database-roles',
    'archive/lock-timeouts',
    'archive/quarantine-wrong-state',
    'partition-table/waiting-job',
    'partition-table/partition-table',
    'archive/races',
  ],
  'db/archive/quarantine.sql': [
    'archive/quarantine-wrong-state',
    'ledger/return-to-owner',
    'archive/constraints-and-columns',
    'archive/refused-partitions',
    'archive/database-roles',
    'archive/lock-timeouts',
    'archive/empty-and-made-again',
    'archive/autovacuum',
    'archive/races',
  ],
  'db/ledger/return-to-owner.sql': [
    'ledger/release-wrong-state',
    'ledger/return-to-owner',
    'ledger/returned-names',
    'archive/quarantine-wrong-state',
    'archive/lock-timeouts',
    'restore/names-in-quarantine',
    'reverify/reverify',
    'archive/autovacuum',
    'archive/busy-application',
  ],
  'db/archive/export.sql': [
    'archive/segments-wrong-state',
    'archive/quarantine-wrong-state',
    'archive/deciding-functions',
    'archive/changed-between-segments',
    'ledger/copied-ledger',
    'ledger/return-to-owner',
    'archive/split-segments',
    'archive/late-verdicts',
    'archive/fidelity',
    'archive/hostile-settings',
    'archive/one-reading',
    'archive/streamed-segments',
    'archive/compressed',
    'archive/verify-at-a-reader',
    'reverify/reverify',
  ],
  'db/archive/proof.sql': [
    'archive/one-reading',
    'archive/streamed-segments',
    'reverify/reverify',
    'archive/verify-at-a-reader',
  ],
  'db/archive/fidelity.sql': ['archive/fidelity', 'archive/domains', 'archive/hostile-settings'],
  'db/archive/commit.sql': [
    'archive/deciding-functions',
    'archive/segments-wrong-state',
    'archive/changed-between-segments',
    'archive/modes',
    'archive/refused-partitions',
  ],
  'db/archive/drop.sql': [
    'archive/drop-checks',
    'archive/tampered-after-verification',
    'archive/deciding-functions',
    'ledger/copied-ledger',
    'archive/modes',
    'archive/quarantine-wrong-state',
    'archive/autovacuum',
    'archive/one-reading',
  ],
  'db/ledger/release.sql': [
    'ledger/release-wrong-state',
    'restore/resumed',
    'ledger/changed-key',
    'reverify/reverify',
    'archive/deciding-functions',
    'ledger/copied-ledger',
    'archive/late-verdicts',
  ],
  'db/reverify/reverify.sql': [
    'ledger/release-wrong-state',
    'reverify/reverify',
    'archive/autovacuum',
    'archive/deciding-functions',
    'ledger/copied-ledger',
    'archive/late-verdicts',
  ],
  'db/ledger/identity.sql': [
    'ledger/upgrade-recorded',
    'ledger/upgrade',
    'ledger/copied-ledger',
    'ledger/renamed-database',
  ],
  'db/ledger/upgrade.sql': ['ledger/upgrade-recorded', 'ledger/upgrade', 'ledger/renamed-database'],
};

/** Every branch of the functions that decide, never and always taken, checks by halves, every statement left out, and more. */
export function sqlMutants(read: (file: string) => string): Mutant[] {
  return Object.entries(FILES).flatMap(([file, tests]) => {
    const text = read(file);
    const found = [
      ...conditions(text),
      ...handlers(text),
      ...statements(text),
      ...listed(text, file),
      ...(file === 'db/archive/refusals.sql'
        ? [
            ...branches(text, 'refusals', / from \(\n/, /\n {4}\) r\)/, 'null::text as reason'),
            ...branches(text, 'dependents_of', / lateral \(\n/, /\n {8}\) o /, 'null::oid'),
          ]
        : []),
      ...(file === 'db/archive/seal.sql'
        ? [
            ...branches(text, 'type_facts', /fact \(line\) as \(\n/, /\)\n {2}select coal/, 'null::text'),
            ...sealed(text),
          ]
        : []),
    ];
    return found.map(({ start, end, replacement, what }) => ({
      file,
      start,
      end,
      replacement,
      what,
      tests: tests.map((name) => `test/scenarios/${name}.test.ts`),
      line: text.slice(0, start).split('\n').length,
    }));
  });
}

function listed(text: string, file: string): Change[] {
  return MORE_CHANGES.filter((each) => each.file === file).map(({ find, replacement, what }) => {
    // However the lines are broken.
    const words = find.split(/\s+/).map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
    const [match, another] = text.matchAll(new RegExp(words.join(String.raw`\s+`), 'g'));
    if (match === undefined || another !== undefined) throw new Error(`${file} has not one ${find}`);
    return { start: match.index, end: match.index + match[0].length, replacement, what };
  });
}
