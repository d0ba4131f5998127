import { changes, type SqlChange } from './sql-change.ts';

/** Of what finds, judges and moves rows of another server or name. */
export const CHANGES_OF_MOVING: readonly SqlChange[] = [
  ...changes('db/ledger/identity.sql', [
    [
      '(l.database_name = v_name or l.database_oid = v_oid)',
      'l.database_name = v_name',
      'a database that was renamed has no identity mismatches',
    ],
    [
      '(l.database_name = v_name or l.database_oid = v_oid)',
      'true',
      'rows of other databases are identity mismatches',
    ],
    ['< (v_system, v_name, v_oid)', '> (v_system, v_name, v_oid)', 'what has a lower identity is none'],
    ['> (v_system, v_name, v_oid)', '< (v_system, v_name, v_oid)', 'what has a higher identity is none'],
    [`and l.state not in ('dropped', 'missing')`, '', 'what is gone is an identity mismatch'],
    ['coalesce(h.oid = l.table_oid, false) and', 'h.oid is not null and', 'any table in its place fits'],
    [`l.state = 'attached' and i.inhrelid = c.oid`, 'false', 'one that is attached elsewhere fits'],
    [
      'where l.system_identifier = p_system and l.database_name = p_database',
      '',
      'the rows of every other identity',
    ],
    [
      '(j.database_name = current_database() or j.database_oid = partition_archiver.database_oid())',
      'true',
      'jobs of other databases are identity mismatches',
    ],
    [
      '(j.database_name = current_database() or j.database_oid = partition_archiver.database_oid())',
      'j.database_name = current_database()',
      'jobs of a database that was renamed',
    ],
    [
      'where c.oid = j.table_oid and c.relname = j.table_name',
      'where c.oid = j.table_oid',
      'a job without its table',
    ],
    [`and j.state not in ('dropped', 'rolled back')`, '', 'jobs that are over are identity mismatches'],
  ]),
  ...changes('db/ledger/upgrade.sql', [
    ['h.actual_oid <> h.table_oid and', 'false and', 'another table in the place of one is no sign'],
    [`p.seal || '{"fence": null}'`, 'p.seal', 'what was proven before is dropped by its old seal'],
    ['lock table partition_archiver.partition in share row exclusive mode;', '', 'others write meanwhile'],
  ]),
];
