import { changes, type SqlChange } from './sql-change.ts';

/** Of what finds, judges and moves rows of another server or name. */
export const CHANGES_OF_MOVING: readonly SqlChange[] = [
  ...changes('db/087a-strangers.sql', [
    [
      '(l.database_name = current_database() or l.database_oid = partition_archiver.this_database())',
      'l.database_name = current_database()',
      'a database that was renamed has no strangers',
    ],
    [
      '(l.database_name = current_database() or l.database_oid = partition_archiver.this_database())',
      'true',
      'rows of other databases are strangers',
    ],
    [`and l.state not in ('dropped', 'missing')`, '', 'what is gone is a stranger'],
    ['coalesce(h.oid = l.table_oid, false) and', 'h.oid is not null and', 'any table in its place fits'],
    [`l.state = 'attached' and i.inhrelid = c.oid`, 'false', 'one that is attached elsewhere fits'],
    [
      'where l.system_identifier = p_system and l.database_name = p_database',
      '',
      'the rows of every other identity',
    ],
    [`and j.state not in ('let go', 'rolled back')`, '', 'jobs that are over are strangers'],
  ]),
  ...changes('db/087b-move-in.sql', [
    ['h.holder <> h.table_oid and', 'false and', 'another table in the place of one is no sign'],
    [`p.seal || '{"fence": null}'`, 'p.seal', 'what was proven before is dropped by its old seal'],
    ['lock table partition_archiver.partition in share row exclusive mode;', '', 'others write meanwhile'],
  ]),
];
