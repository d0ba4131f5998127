import { changes, type SqlChange } from './sql-change.ts';

/** Of the seal, the quarantine and the return to the owner. */
export const CHANGES_OF_QUARANTINE: readonly SqlChange[] = [
  ...changes('db/archive/seal.sql', [
    [`'relfilenode', pg_relation_filenode(c.oid)`, `'relfilenode', 0`, 'the file is not sealed'],
    [`'owner', c.relowner`, `'owner', 0`, 'the owner is not sealed'],
    ['select t.typelem union', 'select 0::oid union', 'elements of arrays are not looked into'],
    ['union select t.typbasetype', '', 'domains are not looked into'],
    [
      'a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped\n      union',
      'false union',
      'composite types are not looked into',
    ],
    ['where t.oid in (r.rngtypid, r.rngmultitypid)', 'where false', 'ranges are not looked into'],
    [`when 'types' then not`, `when 'types' then false and not`, 'the types are not compared'],
    ['else p_sealed -> key is distinct from p_now -> key end', 'else false end', 'nothing else is compared'],
  ]),
  ...changes('db/archive/refusals.sql', [
    ["(d.deptype = 'n' or d.classid = 'pg_trigger'::regclass)", 'false', 'nothing depends on a table'],
    [
      "(d.deptype = 'n' or d.classid = 'pg_trigger'::regclass)",
      'true',
      'what goes with the table depends on it',
    ],
    [
      "d.deptype = 'n' or d.classid = 'pg_trigger'::regclass",
      "d.deptype = 'n'",
      'no constraint trigger depends',
    ],
    ['o.relid is distinct from p_table', 'true', 'what belongs to the table depends on it'],
    [
      `union all select 'pg_type'::regclass, t.oid from pg_type t
                where t.typrelid = p_table or t.typelem = (select reltype from pg_class where oid = p_table)`,
      '',
      'the row type is not looked at',
    ],
  ]),
  ...changes('db/archive/locks.sql', [
    ['setting::integer + 500', 'setting::integer - 900', 'autovacuum is not waited for'],
    ['where id = p_id for update', 'where id = p_id', 'the row is not locked'],
    [
      'setting::integer / 4, 1)::text from pg_settings',
      'setting::integer * 4, 1)::text from pg_settings',
      'locks are waited for beyond a deadlock',
    ],
    [
      'setting::integer / 4, 1)::text from pg_settings',
      'setting::integer / 4, 50)::text from pg_settings',
      'locks are waited for beyond a deadlock that is found early',
    ],
  ]),
  ...changes('db/archive/fence.sql', [
    ['before insert or update or delete on', 'before insert or update on', 'the fence lets deletes through'],
    ['before insert or update or delete on', 'before insert or delete on', 'the fence lets updates through'],
    ['before insert or update or delete on', 'before update or delete on', 'the fence lets inserts through'],
    [
      'enable always trigger partition_archiver_fence_row,',
      'enable trigger partition_archiver_fence_row,',
      'replicas pass the row fence',
    ],
    [
      "enable always trigger partition_archiver_fence_truncate'",
      "enable trigger partition_archiver_fence_truncate'",
      'replicas pass the truncate fence',
    ],
    [
      'disable row level security, no force row level security',
      'no force row level security',
      'row security stays',
    ],
  ]),
  ...changes('db/archive/quarantine.sql', [
    ["contype = 'f' and conparentid = 0 loop", 'false loop', 'foreign keys stay'],
    [
      "state = 'quarantined', archive_id = v_archive_id",
      "state = 'quarantined', archive_id = coalesce(archive_id, v_archive_id)",
      'an archive id for ever',
    ],
    [
      'lead(s.first_block) over (order by s.first_block)',
      'lead(s.first_block) over (order by s.first_block) + 1',
      'segments overlap',
    ],
  ]),
  ...changes('db/ledger/return-to-owner.sql', [
    [
      'archive_id = null, quarantine_name = null',
      'quarantine_name = null',
      'the archive id outlives a return to the owner',
    ],
  ]),
];
