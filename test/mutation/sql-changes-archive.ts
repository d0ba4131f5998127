import { changes, type SqlChange } from './sql-change.ts';

/** Of what exports, proves, records and drops. */
export const CHANGES_OF_ARCHIVE: readonly SqlChange[] = [
  ...changes('db/archive/export.sql', [
    ["'%1$I >= %2$L and", "'true and", 'the lower bound is not looked at'],
    ["'%1$I >= %2$L and", "'%1$I > %2$L and", 'the lower bound itself is not let in'],
    ['and %1$I < %3$L', '', 'the upper bound is not looked at'],
    ['and %1$I < %3$L', 'and %1$I <= %3$L', 'the upper bound itself is let in'],
    [
      "where archive_id = l.archive_id and number = p_number and state = 'exported'\n     and exported_rows",
      'where archive_id = l.archive_id and number = p_number and exported_rows',
      'what is not exported can match',
    ],
    ['and exported_rows = p_rows', '', 'other rows than aws_s3 said match'],
    ['and exported_bytes = p_bytes', '', 'other bytes than aws_s3 said match'],
    ['and (sent_sha256 is null or sent_sha256 = p_sha256)', '', 'other bytes than were sent match'],
    ['and partition_archiver.proof_needed(l, s) = p_proof ', '', 'a verdict by any proof'],
    [
      "'proof', partition_archiver.proof_needed(l, s)",
      "'proof', s.proof",
      'one reading of a table that was fenced again',
    ],
    ["and not (proof = 'one-reading' and p_order_differs)", '', 'one reading of rows in another order'],
    [
      'and (stored_bytes is null or stored_bytes = ',
      'and (true or stored_bytes = ',
      'other stored bytes than S3 got',
    ],
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
    ["set state = 'planned', object_key", 'set object_key', 'a mismatch is not exported again'],
    ["where o.object ->> 'key'", "where false and o.object ->> 'key'", 'objects of other keys match'],
    ['mismatched_at = null,\n         verified_at', 'verified_at', 'a doubt outlives its proof'],
    ['v_middle, s.next_block, s.mismatched_at)', 'v_middle, s.next_block, null)', 'a split ends a doubt'],
  ]),
  ...changes('db/archive/proof.sql', [
    ['& 15 <> 0', '& 15 <> 99', 'no segment is read twice'],
    ['where stream_version = p_version and read_twice > 0', 'where read_twice > 0', 'a run of any version'],
    ['where stream_version = p_version and read_twice > 0', 'where stream_version = p_version', 'any run'],
    ['where s.mismatched_at is not null', 'where false', 'a mismatch is forgotten'],
    ["and l.state in ('quarantined', 'exported', 'blocked')", '', 'a mismatch of what is gone counts'],
    ["return s.state = 'verified' and coalesce", 'return coalesce', 'what is not verified is proven'],
    ['s.sent_sha256 is null or s.sent_sha256 = s.sha256', 'true', 'two readings of what was not sent'],
    ['not s.order_differs\n      and (s.sent', '(s.sent', 'one reading of rows in another order'],
    [
      '(s.sent_sha256, s.exported_rows, s.exported_bytes) = (s.sha256, s.row_count, s.byte_count)',
      '(s.exported_rows, s.exported_bytes) = (s.row_count, s.byte_count)',
      'one reading of what was not sent',
    ],
    [
      '(s.sent_sha256, s.exported_rows, s.exported_bytes) = (s.sha256, s.row_count, s.byte_count)',
      's.sent_sha256 = s.sha256',
      'one reading of other rows and bytes',
    ],
    [
      "then 'one-reading' else 'two-readings' end",
      "then 'one-reading' else 'one-reading' end",
      'never twice',
    ],
  ]),
  ...changes('db/archive/commit.sql', [
    ['having bool_and(partition_archiver.is_proven(s))', '', 'segments that are not verified are summed up'],
    [
      'drop_after = clock_timestamp() + make_interval(secs => p_grace_days * 86400)',
      'drop_after = clock_timestamp()',
      'no grace period',
    ],
    ['id = p_id and archive_id = p_archive_id and', 'id = p_id and', 'the count is that of any archive'],
    [
      'if v_rows is distinct from v_segments then',
      'if v_rows > v_segments then',
      'rows that are missing count',
    ],
    [
      'if v_rows is distinct from v_segments then',
      'if v_rows < v_segments then',
      'rows that are left out count',
    ],
    ['coalesce(drop_after, verified_at', 'coalesce(null, verified_at', 'the grace period begins again'],
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
    [`where id = p_id and state <> 'dropped'`, 'where id = p_id', 'a dropped one fails'],
  ]),
  ...changes('db/archive/drop.sql', [
    [`where id = p_id and state = 'dropped')`, 'where id = p_id)', 'everything was dropped already'],
    [
      `l.state = 'verified' and l.drop_after <= now()`,
      'l.drop_after <= now()',
      'evidence of what is not verified',
    ],
    [`l.state = 'verified' and l.drop_after <= now()`, `l.state = 'verified'`, 'evidence before it is due'],
    ['in access exclusive mode', 'in share mode', 'a weaker lock'],
    [`%I restrict'`, `%I cascade'`, 'CASCADE'],
    [`set state = 'dropped', dropped_at`, `set state = 'verified', dropped_at`, 'the drop is not recorded'],
    ['where id = p_id for update', 'where id = p_id', 'the row is not locked'],
    ["and s.proof = 'one-reading'", '', 'a doubt holds up what two readings have proven'],
  ]),
  ...changes('db/reverify/reverify.sql', [
    [
      'and (row_count, byte_count, line_hash_sum) = (p_rows, p_bytes, p_line_hash_sum)',
      '',
      'other contents than those that were archived are verified',
    ],
    [
      "set state = 'exported', verified_at = null where archive_id",
      'set verified_at = verified_at where archive_id',
      'segments count as verified before they were read again',
    ],
    ["blocked_code = 'Reverify', blocked_reason", 'blocked_reason', 'nobody knows that it is verified again'],
    [
      "'it is being verified again',\n           seal = partition_archiver.seal_of(table_oid)",
      "'it is being verified again'",
      'the seal stays that of the old fence',
    ],
    ['number = p_number and (row_count', '(row_count', 'one segment proves all that are alike'],
    [', mismatched_at = null', '', 'a doubt outlives its proof'],
    ["and proof = 'one-reading'", '', 'a mismatch after two readings is a doubt'],
  ]),
];
