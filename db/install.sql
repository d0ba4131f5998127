-- Installs or upgrades partition-archiver in the database that psql is connected to, all or nothing:
--
--   psql -d <database> -f db/install.sql
--
-- Run it as an administrator (rds_superuser on RDS), after pg_partman and aws_s3 are there. Then give the login roles
-- archiver_maintain, archiver_read, archiver_drop and archiver_restore their passwords, and enrol each owner of partition sets:
--
--   select partition_archiver.enroll('shop_owner', '{shop}');
--
-- Where a publication would carry the archiver's tables it refuses, with the ways out; to accept that publication, first:
--
--   set partition_archiver.accepted_publications = 'its name';

\set ON_ERROR_STOP on
begin;
\ir 010-roles.sql
\ir 012-schemas.sql
\ir 015-retire.sql
\ir 016-publications.sql
\ir 020-ledger.sql
\ir 021-ddl-common.sql
\ir 022-ddl-refusals.sql
\ir 023-ddl-table.sql
\ir 024-ddl-behaviour.sql
\ir 025-ddl-ownership.sql
\ir 026-ddl-dependencies.sql
\ir 027-ddl-capture.sql
\ir 028-ddl-render.sql
\ir 029-partition-set.sql
\ir 030-inventory.sql
\ir 031-candidates.sql
\ir 032-health.sql
\ir 035-seal.sql
\ir 036-refusals.sql
\ir 037-locks.sql
\ir 038-fence.sql
\ir archive/detach.sql
\ir archive/set-problems.sql
\ir 040-quarantine.sql
\ir 041-hand-back.sql
\ir 050-export.sql
\ir 055-restorable.sql
\ir 060-commit.sql
\ir 061-trial-rows.sql
\ir 070-drop.sql
\ir 080-preflight.sql
\ir 080a-partition-table-behaviour.sql
\ir 081-partition-table.sql
\ir 081a-partition-table-values.sql
\ir 081b-partition-table-size.sql
\ir 082-partition-table-begin.sql
\ir 083-partition-table-copy.sql
\ir 084-partition-table-check.sql
\ir 085-partition-table-swap.sql
\ir 085a-partition-table-sequences.sql
\ir 085-enroll.sql
\ir 086a-restore-ledger.sql
\ir 086b-restore-target.sql
\ir 086c-restore-load.sql
\ir 086c-restore-statements.sql
\ir 086d-restore-proof.sql
\ir 086e-restore-finish.sql
\ir restore/attach-indexes.sql
\ir 086f-restore-attach.sql
\ir 087-release.sql
\ir 087a-strangers.sql
\ir 087b-move-in.sql
\ir 088-adopt.sql
\ir 089-progress.sql
\ir 089b-drill.sql
\ir 089c-audit.sql
\ir 089d-retire.sql
\ir 090-grants.sql
\ir 091-trial-rows.sql
commit;
