import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Connection } from './connect.ts';

/** Version of the objects in db/ that this release works with: what `partition_archiver.schema_version()` answers. */
export const SCHEMA_VERSION = 1;

/** The files of db/ in the order in which psql or `installArchiver` runs them. */
export const INSTALL_FILES = [
  '010-roles.sql',
  '012-schemas.sql',
  '015-retire.sql',
  '016-publications.sql',
  '020-ledger.sql',
  '021-ddl-common.sql',
  '022-ddl-refusals.sql',
  '023-ddl-table.sql',
  '024-ddl-behaviour.sql',
  '025-ddl-ownership.sql',
  '026-ddl-dependencies.sql',
  '027-ddl-capture.sql',
  '028-ddl-render.sql',
  '029-partition-set.sql',
  '030-inventory.sql',
  '031-candidates.sql',
  '032-health.sql',
  '035-seal.sql',
  '036-refusals.sql',
  '037-locks.sql',
  '038-fence.sql',
  'archive/detach.sql',
  'archive/set-problems.sql',
  '040-quarantine.sql',
  '041-hand-back.sql',
  '050-export.sql',
  '055-restorable.sql',
  '060-commit.sql',
  '061-trial-rows.sql',
  '070-drop.sql',
  '080-preflight.sql',
  '080a-partition-table-behaviour.sql',
  '081-partition-table.sql',
  '081a-partition-table-values.sql',
  '081b-partition-table-size.sql',
  '082-partition-table-begin.sql',
  '083-partition-table-copy.sql',
  '084-partition-table-check.sql',
  '085-partition-table-swap.sql',
  '085a-partition-table-sequences.sql',
  '085-enroll.sql',
  '086a-restore-ledger.sql',
  '086b-restore-target.sql',
  '086c-restore-load.sql',
  '086c-restore-statements.sql',
  '086d-restore-proof.sql',
  '086e-restore-finish.sql',
  'restore/attach-indexes.sql',
  '086f-restore-attach.sql',
  '087-release.sql',
  '087a-strangers.sql',
  '087b-move-in.sql',
  '088-adopt.sql',
  '089-progress.sql',
  '089b-drill.sql',
  '089c-audit.sql',
  '089d-retire.sql',
  '090-grants.sql',
  '091-trial-rows.sql',
] as const;

/** Beside the bundle in a Lambda, in the repository otherwise. */
const DB = [new URL('db/', import.meta.url), new URL('../../db/', import.meta.url)].find((each) =>
  existsSync(each),
);

/** A file of db/. */
export async function readDatabaseFile(name: string): Promise<string> {
  return readFile(new URL(name, DB), 'utf8');
}

/**
 * Installs or upgrades roles, ledger and functions as an administrator. Safe to run again; all or nothing. Refuses where a
 * publication that is not accepted would carry the archiver's tables.
 */
export async function installArchiver(
  connection: Pick<Connection, 'begin'>,
  acceptedPublications: readonly string[] = [],
): Promise<void> {
  const files = await Promise.all(INSTALL_FILES.map(readDatabaseFile));
  await connection.begin(async (transaction) => {
    await transaction`
      select set_config('partition_archiver.accepted_publications', ${acceptedPublications.join(', ')}, true)`;
    for (const sql of files) await transaction.unsafe(sql);
  });
}

/**
 * Lets the archiver work on the tables of one owner in these schemas, and use pg_partman and aws_s3. As an
 * administrator; safe to run again.
 */
export async function enrollOwner(
  connection: Connection,
  owner: string,
  schemas: readonly string[],
): Promise<void> {
  await connection`
    select partition_archiver.enroll(${owner}::name,
      (select array_agg(s::name) from jsonb_array_elements_text(${connection.json([...schemas])}::jsonb) s))`;
}
