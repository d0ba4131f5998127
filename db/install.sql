-- Installs or upgrades partition-archiver in the database that psql is connected to, all or nothing:
--
--   psql -d <database> -f db/install.sql
--
-- Run it as an administrator (rds_superuser on RDS), after pg_partman and aws_s3 are there. Then give the
-- login roles archiver_maintain, archiver_read, archiver_stream, archiver_drop and archiver_restore their
-- passwords, and register each owner of partition sets:
--
--   select partition_archiver.register_owner('shop_owner', '{shop}');
--
-- Where a publication would carry the archiver's tables it refuses, with the ways out; to accept that
-- publication, first:
--
--   set partition_archiver.accepted_publications = 'its name';

\set ON_ERROR_STOP on
begin read write isolation level read committed;
\ir schema/settings.sql
\ir schema/roles.sql
\ir schema/schemas.sql
\ir schema/check-installed.sql
\ir schema/drop-functions.sql
\ir setup/publications.sql
\ir setup/event-triggers.sql
\ir schema/ledger.sql
\ir ddl/common.sql
\ir ddl/refusals.sql
\ir ddl/table.sql
\ir ddl/behaviour.sql
\ir ddl/ownership.sql
\ir ddl/dependencies.sql
\ir ddl/capture.sql
\ir ddl/render.sql
\ir archive/partition-set.sql
\ir archive/inventory.sql
\ir archive/candidates.sql
\ir archive/health.sql
\ir archive/seal.sql
\ir archive/proof.sql
\ir archive/refusals.sql
\ir archive/locks.sql
\ir archive/fence.sql
\ir archive/detach.sql
\ir archive/set-problems.sql
\ir archive/quarantine.sql
\ir ledger/return-to-owner.sql
\ir archive/export.sql
\ir archive/fidelity.sql
\ir archive/commit.sql
\ir archive/trial-rows.sql
\ir archive/detach-refusals.sql
\ir archive/drop.sql
\ir archive/preflight-database.sql
\ir archive/preflight.sql
\ir partition-table/behaviour.sql
\ir partition-table/publications.sql
\ir archive/rights-to-restore.sql
\ir partition-table/tables.sql
\ir partition-table/problems.sql
\ir partition-table/values.sql
\ir partition-table/size.sql
\ir partition-table/triggers.sql
\ir partition-table/job.sql
\ir partition-table/begin.sql
\ir partition-table/change-triggers.sql
\ir partition-table/extend.sql
\ir partition-table/copy.sql
\ir partition-table/compare.sql
\ir partition-table/rollback.sql
\ir partition-table/swap.sql
\ir partition-table/drop-replaced.sql
\ir partition-table/sequences.sql
\ir setup/register-owner.sql
\ir restore/tables.sql
\ir restore/names.sql
\ir restore/target.sql
\ir restore/begin.sql
\ir restore/load.sql
\ir restore/statements.sql
\ir restore/proof.sql
\ir query/listing.sql
\ir restore/publish.sql
\ir restore/outcomes.sql
\ir restore/attach-indexes.sql
\ir restore/attach-keys.sql
\ir restore/attach-problems.sql
\ir restore/attach.sql
\ir ledger/release.sql
\ir reverify/reverify.sql
\ir ledger/identity.sql
\ir ledger/upgrade.sql
\ir ledger/adoption-bounds.sql
\ir ledger/adopt.sql
\ir archive/progress.sql
\ir restore/drill.sql
\ir audit/audit.sql
\ir ledger/comments.sql
\ir restore/comments.sql
\ir partition-table/comments.sql
\ir schema/check-leftovers.sql
\ir ddl/trial.sql
\ir schema/grants.sql
\ir archive/trial-rows-as-trial.sql
\ir archive/detach-refusals-as-trial.sql
\ir partition-table/triggers-as-trial.sql
\ir schema/function-settings.sql
commit;
