import { changes, type SqlChange } from './sql-change.ts';

/** Of what chooses the partitions that there is work for. */
export const CHANGES_OF_CHOOSING: readonly SqlChange[] = [
  ...changes('db/archive/partition-set.sql', [
    [`t.partstrat = 'r' and t.partnatts = 1`, 'true', 'any kind of partitioning is a partition set'],
    [
      'not i.inhdetachpending and c.relispartition',
      'c.relispartition',
      'half detached ones count as attached',
    ],
    [
      `not ('MINVALUE' = any (e.ends) or 'MAXVALUE' = any (e.ends))`,
      'true',
      'an end that is none is taken for one',
    ],
  ]),
  ...changes('db/archive/inventory.sql', [
    [`where l.state in ('attached', 'detached');`, ';', 'the inventory overwrites rows in any state'],
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
  ]),
  ...changes('db/archive/candidates.sql', [
    [
      'v_set.retention, l.upper_time, l.upper_bound, p_reference_time',
      'v_set.retention, l.lower_time, l.lower_bound, p_reference_time',
      'retention by the lower bound',
    ],
    [
      'p_reference_time, p_retention::interval',
      'p_reference_time, - p_retention::interval',
      'retention the wrong way',
    ],
    ["p_kind = 'time' and p_upper_time", 'p_upper_time', 'the kind of the bounds does not count'],
    [
      'p_upper_bound::numeric <= p_highest - p_retention::numeric',
      'p_upper_bound::numeric <= p_highest',
      'no retention for id sets',
    ],
    [
      'p_retention::numeric end end, false)',
      'p_retention::numeric end end, true)',
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
      `and l.system_identifier = partition_archiver.system_identifier() and l.database_name = current_database()\n     order by l.lower_time, case`,
      'order by l.lower_time, case',
      'candidates of a copied ledger',
    ],
    ['order by l.lower_time, case', 'order by l.lower_time desc, case', 'youngest bounds first'],
    ['l.drop_after <= now()', 'true', 'everything is due'],
    ['exit when v_max is not null', 'exit', 'the highest partition, though it is empty'],
    ['exit when v_max is not null;', '', 'the last partition that was looked at'],
    ['a.lower_bound::numeric desc', 'a.lower_bound::numeric', 'the lowest partition with rows'],
  ]),
];
