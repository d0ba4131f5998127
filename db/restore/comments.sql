-- Comments on the tables of restores. docs/ledger.md is generated from the catalog.

set role archiver_owner;

comment on table partition_archiver.restore is
  'one row for each restore; an interrupted restore resumes from it';
comment on column partition_archiver.restore.id is 'number of the restore, for cancel-restore (restoreId)';
comment on column partition_archiver.restore.archive_id is 'the archive';
comment on column partition_archiver.restore.manifest_key is 'key of its manifest';
comment on column partition_archiver.restore.manifest_version_id is
  'VersionId of the manifest that the restore reads';
comment on column partition_archiver.restore.manifest_sha256 is 'SHA-256 of that manifest';
comment on column partition_archiver.restore.drill is
  'whether this is a drill, whose table is never published';
comment on column partition_archiver.restore.target_schema is 'schema of the published table';
comment on column partition_archiver.restore.target_name is 'name of the published table';
comment on column partition_archiver.restore.owner is 'owner of the published table';
comment on column partition_archiver.restore.partition is 'from the manifest: what the partition was';
comment on column partition_archiver.restore.copy is
  'from the manifest: how its rows are written (columns, options, pins)';
comment on column partition_archiver.restore.row_count is 'from the manifest: rows that the proof must find';
comment on column partition_archiver.restore.byte_count is
  'from the manifest: bytes that the proof must find';
comment on column partition_archiver.restore.line_hash_sum is
  'from the manifest: sum of the hashes of lines that the proof must find';
comment on column partition_archiver.restore.last_statements is 'statements that run at the publication';
comment on column partition_archiver.restore.invalid_keys is
  'foreign keys that were not valid in the archived table';
comment on column partition_archiver.restore.warnings is 'what the restored table lacks';
comment on column partition_archiver.restore.unmade is
  'statements that failed, where an incomplete restore is accepted';
comment on column partition_archiver.restore.work_name is 'name of the table in partition_archiver_restore';
comment on column partition_archiver.restore.work_oid is 'OID of that table';
comment on column partition_archiver.restore.attach_indexes is
  'indexes that were made for an attach that has not succeeded yet';
comment on column partition_archiver.restore.attach_keys is
  'foreign keys that were made for an attach that has not succeeded yet';
comment on column partition_archiver.restore.original_names is
  'names that its indexes, sequences and statistics get at the publication, by OID';
comment on column partition_archiver.restore.statements_done is
  'statements of restore_statement that are done';
comment on column partition_archiver.restore.proof_relfilenode is
  'file of the table that the proof was planned for';
comment on column partition_archiver.restore.state is 'begun, proven, done or cancelled';
comment on column partition_archiver.restore.partition_id is 'ledger row of the published table';
comment on column partition_archiver.restore.began_at is 'start of the restore';
comment on column partition_archiver.restore.ended_at is 'end of the restore';
comment on column partition_archiver.restore.actor is 'session user who began it';

comment on table partition_archiver.restore_segment is 'segments of a restore';
comment on column partition_archiver.restore_segment.restore_id is 'the restore';
comment on column partition_archiver.restore_segment.number is 'number of the segment';
comment on column partition_archiver.restore_segment.row_count is 'rows of the segment';
comment on column partition_archiver.restore_segment.object_keys is
  'its objects, in the order of their bytes';
comment on column partition_archiver.restore_segment.compression is
  'how its objects are compressed: gzip or zstd; null for plain text';
comment on column partition_archiver.restore_segment.byte_count is 'bytes of its text';
comment on column partition_archiver.restore_segment.imported_at is 'set in the transaction of the import';

comment on table partition_archiver.restore_statement is
  'statements that build keys, indexes and the like of a restored table after its data';
comment on column partition_archiver.restore_statement.restore_id is 'the restore';
comment on column partition_archiver.restore_statement.number is 'order of the statements';
comment on column partition_archiver.restore_statement.statement is
  'the statement as it runs in partition_archiver_restore';
comment on column partition_archiver.restore_statement.target_statement is
  'the same for the published table, for messages';

comment on table partition_archiver.restore_range is
  'ranges of heap blocks of a restored table, which are read for its proof';
comment on column partition_archiver.restore_range.restore_id is 'the restore';
comment on column partition_archiver.restore_range.number is 'number of the range';
comment on column partition_archiver.restore_range.first_block is 'first heap block of the range';
comment on column partition_archiver.restore_range.next_block is
  'first heap block after the range; null for the last one';
comment on column partition_archiver.restore_range.follows_block is 'as in segment';
comment on column partition_archiver.restore_range.row_count is 'rows that were read';
comment on column partition_archiver.restore_range.byte_count is 'bytes that were read';
comment on column partition_archiver.restore_range.line_hash_sum is
  'sum of the hashes of the lines that were read';
comment on column partition_archiver.restore_range.read_at is 'when the range was read';

comment on table partition_archiver.restore_outcome is
  'one row for each archive of an execution of Restore, for its report';
comment on column partition_archiver.restore_outcome.execution is 'name of the execution';
comment on column partition_archiver.restore_outcome.manifest_key is 'the archive';
comment on column partition_archiver.restore_outcome.partition_id is 'ledger row of the restored table';
comment on column partition_archiver.restore_outcome.restored_table is 'name of the restored table';
comment on column partition_archiver.restore_outcome.attached_to is 'parent that the table was attached to';
comment on column partition_archiver.restore_outcome.row_count is 'rows of the restored table';
comment on column partition_archiver.restore_outcome.byte_count is 'bytes of the archive';
comment on column partition_archiver.restore_outcome.warnings is 'what the restored table lacks';
comment on column partition_archiver.restore_outcome.unmade is 'statements that failed';
comment on column partition_archiver.restore_outcome.failed_code is 'error code, if the restore failed';
comment on column partition_archiver.restore_outcome.failed_reason is 'message, if the restore failed';
comment on column partition_archiver.restore_outcome.recorded_at is 'time of the record';

reset role;
