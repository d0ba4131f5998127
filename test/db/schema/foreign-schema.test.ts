import { expect, test } from '@jest/globals';
import { installArchiver } from '../../../adapters/postgres/install.ts';
import { useDatabase } from '../../support/database.ts';
import { withRoleRetries } from '../../support/roles.ts';

const database = useDatabase();
// The first file to get here makes the roles.
const roles = useDatabase({ template: 'archiver' });

// Seen to fail without the check of db/schema/ledger.sql: installed, and the owner of the schema drops tables in quarantine.
test('a schema of the same name that somebody else owns is not taken for ours', async () => {
  const { sql } = database();
  expect(roles().name).not.toBe(database().name);
  await sql.unsafe(`
    create schema partman; create extension pg_partman schema partman; create extension aws_s3 cascade;
    do $$ begin create role old_archive; exception when duplicate_object then null; end $$;
    create schema partition_archiver_quarantine authorization old_archive;
    grant usage on schema partition_archiver_quarantine to public`);
  await expect(withRoleRetries(() => installArchiver(sql))).rejects.toThrow(
    'there is already a schema partition_archiver_quarantine of role old_archive, who could drop what is put there',
  );
  expect(await sql`select to_regnamespace('partition_archiver') as schema`).toEqual([{ schema: null }]);
  await sql`alter schema partition_archiver_quarantine owner to archiver_owner`;
  await withRoleRetries(() => installArchiver(sql));
});
