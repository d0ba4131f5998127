/** What db/*.sql makes, in a file that can be read: every right, and everything that a caller sees. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { expectCommitted } from '../support/committed.ts';
import { installedSchema } from './installed-schema.ts';

const archiver = useArchiver();

// Seen to fail: with one grant more in db/schema/grants.sql, and without one `security definer`.
test('the installed schema is the one in schema.txt', async () => {
  const schema = await installedSchema(archiver().database.sql);
  expect(schema).toContain('function partition_archiver.drop_verified(');
  expectCommitted(new URL('schema.txt', import.meta.url), schema);
});
