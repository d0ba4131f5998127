-- Comments on the tables of archives, runs, drills and audits. docs/ledger.md is generated from the catalog.

set role archiver_owner;

comment on table partition_archiver.partition is
  'one row for each partition ever seen, by OID, with its bounds and state';
comment on column partition_archiver.partition.id is
  'number of the partition in commands, inputs, reports and logs (partitionId)';
comment on column partition_archiver.partition.system_identifier is
  'system identifier of the server; steps process no row of another database';
comment on column partition_archiver.partition.database_name is
  'name of the database when the row was written';
comment on column partition_archiver.partition.database_oid is 'OID of the database, which a rename keeps';
comment on column partition_archiver.partition.table_oid is 'OID of the partition';
comment on column partition_archiver.partition.table_schema is
  'schema of the partition while it was attached';
comment on column partition_archiver.partition.table_name is 'name of the partition while it was attached';
comment on column partition_archiver.partition.parent_oid is 'OID of the partitioned table';
comment on column partition_archiver.partition.parent_schema is 'schema of the partitioned table';
comment on column partition_archiver.partition.parent_name is 'name of the partitioned table';
comment on column partition_archiver.partition.control_column is 'the partition key';
comment on column partition_archiver.partition.control_kind is 'time or id: the kind of the partition key';
comment on column partition_archiver.partition.bounds is
  'FOR VALUES FROM … TO … while the partition was attached; DETACH removes it from the catalog';
comment on column partition_archiver.partition.lower_bound is 'lower bound as text, inclusive';
comment on column partition_archiver.partition.upper_bound is 'upper bound as text, exclusive';
comment on column partition_archiver.partition.lower_time is 'lower bound as a time; null for an id set';
comment on column partition_archiver.partition.upper_time is 'upper bound as a time; null for an id set';
comment on column partition_archiver.partition.time_zone is
  'time zone of the set, in which lower_time, upper_time and period were computed';
comment on column partition_archiver.partition.period is
  'the part of the S3 keys that names the partition, such as 202507';
comment on column partition_archiver.partition.attach_statement is
  'the statement that attaches the table again';
comment on column partition_archiver.partition.state is
  'attached, detached, quarantined, exported, verified, dropped, restored, released, missing or blocked';
comment on column partition_archiver.partition.blocked_state is 'state before the partition was blocked';
comment on column partition_archiver.partition.blocked_code is
  'error code of what blocked the partition (docs/errors.md)';
comment on column partition_archiver.partition.blocked_reason is 'message of what blocked the partition';
comment on column partition_archiver.partition.archive_id is
  'id in the keys of the objects; each quarantine mints a new one';
comment on column partition_archiver.partition.quarantine_name is
  'name of the table in partition_archiver_quarantine; null outside of it';
comment on column partition_archiver.partition.original_owner is 'owner before the quarantine, by name';
comment on column partition_archiver.partition.original_owner_oid is
  'owner before the quarantine, by OID, which a rename keeps';
comment on column partition_archiver.partition.original_names is
  'names of indexes and sequences before the quarantine';
comment on column partition_archiver.partition.seal is
  'what must not change between quarantine and drop: fence triggers, owner, columns, file, types';
comment on column partition_archiver.partition.ddl is 'the captured DDL, as templates';
comment on column partition_archiver.partition.column_list is 'the columns that COPY reads';
comment on column partition_archiver.partition.row_count is 'rows of the committed archive';
comment on column partition_archiver.partition.byte_count is 'bytes of the committed archive';
comment on column partition_archiver.partition.counted_whole is
  'whether the rows were also counted over the whole table; false: that took more than 8 minutes';
comment on column partition_archiver.partition.table_bytes is
  'size of the table when its archive was committed';
comment on column partition_archiver.partition.manifest_key is 'key of the manifest that was read back';
comment on column partition_archiver.partition.manifest_version_id is 'VersionId of that manifest';
comment on column partition_archiver.partition.manifest_sha256 is 'SHA-256 of that manifest';
comment on column partition_archiver.partition.drop_after is
  'end of the grace period; null if the set has "drop": false';
comment on column partition_archiver.partition.first_seen_at is 'when an inventory first found the partition';
comment on column partition_archiver.partition.last_attached_at is 'when an inventory last found it attached';
comment on column partition_archiver.partition.quarantined_at is 'when it was moved into quarantine';
comment on column partition_archiver.partition.exported_at is 'when its last segment was exported';
comment on column partition_archiver.partition.verified_at is 'when its archive was committed';
comment on column partition_archiver.partition.dropped_at is 'when its table was dropped';
comment on column partition_archiver.partition.failed_at is
  'time of the last failure that did not block the partition';
comment on column partition_archiver.partition.failed_code is 'error code of that failure';
comment on column partition_archiver.partition.failed_reason is 'message of that failure';

comment on table partition_archiver.segment is
  'ranges of heap blocks of a quarantined partition; one segment is one export call and one object in S3';
comment on column partition_archiver.segment.archive_id is 'the archive that the segment belongs to';
comment on column partition_archiver.segment.number is 'number of the segment in the archive (segmentNumber)';
comment on column partition_archiver.segment.first_block is 'first heap block of the range';
comment on column partition_archiver.segment.next_block is
  'first heap block after the range; null for the last segment';
comment on column partition_archiver.segment.follows_block is
  'first_block, or null for block 0; foreign keys on it exclude gaps and overlaps';
comment on column partition_archiver.segment.state is 'planned, exported or verified';
comment on column partition_archiver.segment.object_key is
  'the key that was given to aws_s3.query_export_to_s3, or of the attempt that was streamed';
comment on column partition_archiver.segment.exported_rows is
  'rows that aws_s3 returned, or that were streamed';
comment on column partition_archiver.segment.exported_files is
  'files that aws_s3 returned, or that were streamed';
comment on column partition_archiver.segment.exported_bytes is
  'bytes that aws_s3 returned, or that were streamed';
comment on column partition_archiver.segment.sent_sha256 is
  'SHA-256 of what was streamed; null where aws_s3 exported';
comment on column partition_archiver.segment.proof is
  'proof that the segment is to have, and has once it is verified: one-reading or two-readings';
comment on column partition_archiver.segment.compression is
  'how what was streamed is compressed: gzip or zstd; null for plain text';
comment on column partition_archiver.segment.stored_bytes is
  'bytes that S3 got of compressed text; null for plain text';
comment on column partition_archiver.segment.stream_version is
  'version of partition-archiver that streamed it, and a digest of its code that reads streams; null where '
  'aws_s3 exported';
comment on column partition_archiver.segment.mismatched_at is
  'when what was streamed last did not match; null: never, proven since, or aws_s3 exported';
comment on column partition_archiver.segment.objects is
  'the proven objects: key, VersionId and bytes of each';
comment on column partition_archiver.segment.row_count is 'rows that verify read';
comment on column partition_archiver.segment.byte_count is 'bytes that verify read';
comment on column partition_archiver.segment.sha256 is 'SHA-256 of the COPY text that verify read';
comment on column partition_archiver.segment.line_hash_sum is
  'sum of the 64-bit hashes of the lines that verify read';
comment on column partition_archiver.segment.order_differs is
  'whether the object has the rows in another order than the table';
comment on column partition_archiver.segment.exported_at is 'when the segment was exported';
comment on column partition_archiver.segment.verified_at is 'when the segment was proven';

comment on table partition_archiver.event is
  'one row for each change of state of a partition; rows are only added';
comment on column partition_archiver.event.id is 'number of the event';
comment on column partition_archiver.event.partition_id is 'the partition';
comment on column partition_archiver.event.at is 'time of the change';
comment on column partition_archiver.event.actor is 'session user who made it';
comment on column partition_archiver.event.from_state is 'state before; null for a new row';
comment on column partition_archiver.event.to_state is 'state after';
comment on column partition_archiver.event.note is 'the reason, or what was left out';

comment on table partition_archiver.run is 'one row for each execution of Archive that came to its report';
comment on column partition_archiver.run.started_at is 'start of the execution';
comment on column partition_archiver.run.finished_at is 'time of the report';
comment on column partition_archiver.run.mode is 'archive, inventory or drop';
comment on column partition_archiver.run.dry_run is 'whether the execution was a dry run';
comment on column partition_archiver.run.partition_sets is 'sets that were maintained without an error';
comment on column partition_archiver.run.archived is 'partitions that were archived';
comment on column partition_archiver.run.dropped is 'partitions that were dropped';
comment on column partition_archiver.run.failed is 'partitions that failed';
comment on column partition_archiver.run.stream_version is
  'version of partition-archiver, and a digest of its code that reads streams';
comment on column partition_archiver.run.read_twice is
  'streamed segments with rows that were proven by both readings during the run';

comment on table partition_archiver.drill is
  'one row for each successful drill: an archive that was restored, proven and dropped again';
comment on column partition_archiver.drill.id is 'number of the drill';
comment on column partition_archiver.drill.restore_id is 'the restore that it made';
comment on column partition_archiver.drill.archive_id is 'the archive';
comment on column partition_archiver.drill.manifest_key is 'key of its manifest';
comment on column partition_archiver.drill.row_count is 'rows that were proven';
comment on column partition_archiver.drill.byte_count is 'bytes that were proven';
comment on column partition_archiver.drill.began_at is 'start of the drill';
comment on column partition_archiver.drill.ended_at is 'end of the drill';
comment on column partition_archiver.drill.actor is 'session user';

comment on table partition_archiver.audit is
  'one row for each successful audit of the whole archive, or of a sample of it';
comment on column partition_archiver.audit.execution is 'name of the execution of Audit';
comment on column partition_archiver.audit.archives is 'archives that were audited';
comment on column partition_archiver.audit.segments_read is 'segments that were read';
comment on column partition_archiver.audit.bytes_read is 'bytes that were read';
comment on column partition_archiver.audit.ended_at is 'end of the audit';
comment on column partition_archiver.audit.actor is 'session user';

reset role;
