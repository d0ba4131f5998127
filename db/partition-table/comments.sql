-- Comments on the table of partitioning jobs. docs/ledger.md is generated from the catalog.

set role archiver_owner;

comment on table partition_archiver.partition_job is
  'one row for each plain table that is or was made a partition set, so that it can be resumed';
comment on column partition_archiver.partition_job.id is 'number of the job';
comment on column partition_archiver.partition_job.system_identifier is 'system identifier of the server';
comment on column partition_archiver.partition_job.database_name is 'name of the database when the job began';
comment on column partition_archiver.partition_job.database_oid is 'OID of the database';
comment on column partition_archiver.partition_job.table_oid is 'OID of the table';
comment on column partition_archiver.partition_job.table_schema is 'schema of the table';
comment on column partition_archiver.partition_job.table_name is 'name of the table';
comment on column partition_archiver.partition_job.table_owner is 'owner of the table';
comment on column partition_archiver.partition_job.control_column is 'the future partition key';
comment on column partition_archiver.partition_job.mode is 'online or offline';
comment on column partition_archiver.partition_job.key_columns is 'columns by which changed rows are found';
comment on column partition_archiver.partition_job.options is 'the other options of the request';
comment on column partition_archiver.partition_job.size is 'partitions and locks that the swap takes';
comment on column partition_archiver.partition_job.objects is
  'what the table has at the begin; a change makes the job begin again';
comment on column partition_archiver.partition_job.columns is 'columns of the table at the begin';
comment on column partition_archiver.partition_job.ddl is 'DDL of the table at the begin';
comment on column partition_archiver.partition_job.shadow_oid is
  'OID of the partitioned table that is filled';
comment on column partition_archiver.partition_job.filenode is 'file of the table when its copy began';
comment on column partition_archiver.partition_job.next_block is 'heap block that is copied next';
comment on column partition_archiver.partition_job.end_block is 'heap block at which the copy ends';
comment on column partition_archiver.partition_job.checked is
  'rows and line hashes of each partition, as far as the comparison is';
comment on column partition_archiver.partition_job.checked_at is 'when the comparison was finished';
comment on column partition_archiver.partition_job.check_number is 'number of the comparison';
comment on column partition_archiver.partition_job.compared_to is
  'where the comparison continues; null before its first range';
comment on column partition_archiver.partition_job.trigger_state is
  'the change triggers, or the fence of the replaced table, as they were created; null without them';
comment on column partition_archiver.partition_job.state is
  'begun, copying, copied, checked, swapped, dropped or rolled back';
comment on column partition_archiver.partition_job.began_at is 'start of the job';
comment on column partition_archiver.partition_job.swapped_at is 'when the tables changed places';
comment on column partition_archiver.partition_job.ended_at is 'end of the job';
comment on column partition_archiver.partition_job.actor is 'session user who began it';

reset role;
