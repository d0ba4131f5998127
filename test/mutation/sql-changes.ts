/** A change that no rule makes: a clause that decides, in words that occur once in the file. */
interface SqlChange {
  readonly file: string;
  readonly find: string;
  readonly replacement: string;
  readonly what: string;
}

const changes = (
  file: string,
  list: readonly (readonly [find: string, replacement: string, what: string])[],
): SqlChange[] => list.map(([find, replacement, what]) => ({ file, find, replacement, what }));

/** By file, in the order of the file. */
export const MORE_SQL_CHANGES: readonly SqlChange[] = [
  ...changes('db/030-inventory.sql', [
    [`t.partstrat = 'r' and t.partnatts = 1`, 'true', 'any kind of partitioning is a partition set'],
    [
      'not i.inhdetachpending and c.relispartition',
      'c.relispartition',
      'half detached ones count as attached',
    ],
    [
      `where l.state in ('attached', 'detached')\n      and`,
      'where',
      'the inventory overwrites rows in any state',
    ],
    [
      `k.parent_oid = p_parent and k.system_identifier = v_system`,
      'k.system_identifier = v_system',
      'partitions of other sets are looked for',
    ],
    [
      'and k.system_identifier = v_system and k.database_name = current_database()\n       and (k',
      'and (k',
      'rows of a copied ledger are judged',
    ],
    [
      'and not exists (select from pg_inherits i where i.inhrelid = k.table_oid)\n            or',
      'or',
      'attached ones count as detached',
    ],
    [
      `k.state in ('detached', 'quarantined', 'exported', 'verified', 'restored', 'released') and c.oid is null`,
      'false',
      'what is gone is not missed',
    ],
    [`when f.same then 'detached' else 'blocked' end`, `else 'detached' end`, 'renamed ones are detached'],
    ['c.relname = k.table_name and', '', 'another name is the same one'],
    [
      'and n.nspname in (k.table_schema, coalesce(v_set.retention_schema, k.table_schema)) as same',
      'as same',
      'another schema is the same one',
    ],
    [
      'then l.upper_time <= p_reference_time - v_set.retention::interval\n                         else',
      'then l.lower_time <= p_reference_time - v_set.retention::interval\n                         else',
      'retention by the lower bound',
    ],
    [
      'then l.upper_time <= p_reference_time - v_set.retention::interval\n                         else',
      'then l.upper_time <= p_reference_time + v_set.retention::interval\n                         else',
      'retention the wrong way',
    ],
    [
      'else l.upper_bound::numeric <= v_highest - v_set.retention::numeric end, false)',
      'else l.upper_bound::numeric <= v_highest end, false)',
      'no retention for id sets',
    ],
    [
      'v_set.retention::numeric end, false)',
      'v_set.retention::numeric end, true)',
      'without retention all are past it',
    ],
    [
      `l.parent_oid = p_parent and l.state in ('detached', 'quarantined', 'exported', 'verified')`,
      `l.state in ('detached', 'quarantined', 'exported', 'verified')`,
      'candidates of other sets',
    ],
    [
      `l.state in ('detached', 'quarantined', 'exported', 'verified')\n       and l.system`,
      `l.state <> 'attached'\n       and l.system`,
      'candidates in any state',
    ],
    [
      `and l.system_identifier = partition_archiver.this_system() and l.database_name = current_database()\n     order by l.lower_time, case`,
      'order by l.lower_time, case',
      'candidates of a copied ledger',
    ],
    ['order by l.lower_time, case', 'order by l.lower_time desc, case', 'youngest bounds first'],
    ['l.drop_after <= now()', 'true', 'everything is due'],
    ['a.lower_bound::numeric desc', 'a.lower_bound::numeric', 'the lowest partition with rows'],
  ]),
  ...changes('db/035-seal.sql', [
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
    [
      `coalesce(p_now -> key, '[]') @> coalesce(p_sealed -> key, '[]')`,
      `p_now -> key = p_sealed -> key`,
      'the types must be equal',
    ],
    ['else p_sealed -> key is distinct from p_now -> key end', 'else false end', 'nothing else is compared'],
  ]),
  ...changes('db/040-quarantine.sql', [
    ["where d.deptype = 'n'", 'where false', 'nothing depends on a table'],
    ['r.oid = d.objid and r.ev_class <> p_table', 'false', 'views do not depend'],
    ['k.oid = d.objid and k.conrelid <> p_table', 'false', 'foreign keys do not depend'],
    ['f.oid = d.objid and f.adrelid <> p_table', 'false', 'defaults do not depend'],
    [
      `union all select 'pg_type'::regclass, t.oid from pg_type t
                where t.typrelid = p_table or t.typelem = (select reltype from pg_class where oid = p_table)`,
      '',
      'the row type is not looked at',
    ],
    ['where id = p_id for update', 'where id = p_id', 'the row is not locked'],
    [
      'setting::integer / 4, 50)::text from pg_settings',
      'setting::integer * 4, 50)::text from pg_settings',
      'locks are waited for beyond a deadlock',
    ],
    ["contype = 'f' and conparentid = 0 loop", 'false loop', 'foreign keys stay'],
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
    ['min(%1$I) < %3$L', 'false', 'the lower bound is not looked at'],
    ['max(%1$I) >= %4$L', 'false', 'the upper bound is not looked at'],
    ['max(%1$I) >= %4$L', 'max(%1$I) > %4$L', 'the upper bound itself is let in'],
    ['min(%1$I) < %3$L', 'min(%1$I) <= %3$L', 'the lower bound itself is not let in'],
    ['where %1$I is null)', 'where false)', 'missing values are not looked for'],
    [
      'if not (select attnotnull from',
      'if (select attnotnull from',
      'missing values are looked for where there can be none',
    ],
    [
      'archive_id = null, quarantine_name = null',
      'quarantine_name = null',
      'the archive id outlives a hand-back',
    ],
    ["then ' NOT VALID' else '' end", "then '' else '' end", 'foreign keys are validated'],
    ["'released' else 'blocked' end", "'released' else 'released' end", 'a hand-back is never blocked'],
  ]),
  ...changes('db/050-export.sql', [
    [
      "pg_try_advisory_xact_lock(hashtextextended(l.archive_id || '-' || p_number, 0))",
      'true',
      'no lock for a segment',
    ],
    [
      "where archive_id = l.archive_id and number = p_number and state = 'exported'\n     and exported_rows",
      'where archive_id = l.archive_id and number = p_number and exported_rows',
      'what is not exported can match',
    ],
    ['and exported_rows = p_rows', '', 'other rows than aws_s3 said match'],
    ['and exported_bytes = p_bytes', '', 'other bytes than aws_s3 said match'],
    ['and exported_files = jsonb_array_length(p_objects)', '', 'other files than aws_s3 said match'],
    ["and state = 'planned')", 'and false)', 'exported before all segments are'],
    [
      'objects = null, row_count = null, byte_count = null, sha256 = null,\n         line_hash_sum = null',
      'objects = null, row_count = null, byte_count = null',
      'an old proof stays after a new export',
    ],
    [
      "set next_block = v_middle, state = 'planned'",
      'set next_block = v_middle, state = state',
      'a split segment counts as exported',
    ],
    ["set state = 'planned', object_key", 'set object_key', 'a mismatch is not exported anew'],
  ]),
  ...changes('db/060-commit.sql', [
    ['pg_table_size(l.table_oid) <= p_count_limit', 'false', 'the table is never counted'],
    ["having bool_and(state = 'verified')", '', 'segments that are not verified are summed up'],
    [
      'drop_after = clock_timestamp() + make_interval(secs => p_grace_days * 86400)',
      'drop_after = clock_timestamp()',
      'no grace period',
    ],
    ['coalesce(drop_after, verified_at', 'coalesce(null, verified_at', 'the grace period begins anew'],
    [
      `'detached', 'quarantined', 'exported', 'verified');
begin
  update partition_archiver.partition
     set state = 'blocked'`,
      `'detached', 'quarantined', 'exported', 'verified', 'dropped');
begin
  update partition_archiver.partition
     set state = 'blocked'`,
      'a dropped one can be blocked',
    ],
    [`when l.blocked_state = 'verified' then 'verified'`, '', 'a verified one is exported anew'],
    [
      `when exists (select from partition_archiver.segment where archive_id = l.archive_id and state = 'planned')
                         then 'quarantined'`,
      '',
      'unblocked as exported',
    ],
    [`where id = p_id and state <> 'dropped'`, 'where id = p_id', 'a dropped one fails'],
  ]),
  ...changes('db/070-drop.sql', [
    [`where id = p_id and state = 'dropped')`, 'where id = p_id)', 'everything was dropped already'],
    [
      `l.state = 'verified' and l.drop_after <= now()`,
      'l.drop_after <= now()',
      'evidence of what is not verified',
    ],
    [`l.state = 'verified' and l.drop_after <= now()`, `l.state = 'verified'`, 'evidence before it is due'],
    [
      `exception when undefined_table then
    raise exception 'table partition_archive.% is gone`,
      `exception when division_by_zero then
    raise exception 'table partition_archive.% is gone`,
      'a table that is gone',
    ],
    ['when insufficient_privilege then', 'when division_by_zero then', 'a table of somebody else'],
    ['in access exclusive mode', 'in share mode', 'a weaker lock'],
    ['setting::integer + 500', 'setting::integer - 900', 'autovacuum is not waited for'],
    [`%I restrict'`, `%I cascade'`, 'CASCADE'],
    [`set state = 'dropped', dropped_at`, `set state = 'verified', dropped_at`, 'the drop is not recorded'],
    ['where id = p_id for update', 'where id = p_id', 'the row is not locked'],
  ]),
];
