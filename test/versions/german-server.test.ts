/** A server that speaks German to sessions that do not ask for something else (lc_messages, which only superusers may set). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import type postgres from 'postgres';
import { isStatementTimeout, translate } from '../../adapters/postgres/errors.ts';
import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { programFolder } from '../../local/stack/installation.ts';
import type { Archiver } from '../support/archiver.ts';
import { archiverOn, prepareDatabase } from '../support/own-server.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { makeBucket, makeS3Client } from '../support/s3.ts';
import { testInstallation } from '../support/stack.ts';
import { testIf } from '../support/test-if.ts';
import { startUpgradableServer, type UpgradableServer } from '../support/upgradable-server.ts';
import { failureOf } from '../support/verified.ts';

/**
 * Debian 12's package speaks German where LANGUAGE says so. The servers of the matrix come without translations, as do
 * containers whose dpkg leaves them out; and since Debian 13 gettext looks at LANGUAGE in no C locale, C.UTF-8 included,
 * and these are the only locales that every machine has.
 */
const translated = spawnSync(join(programFolder(testInstallation()), 'postgres'), ['--help'], {
  encoding: 'utf8',
  env: { LC_ALL: 'C.UTF-8', LANGUAGE: 'de' },
}).stdout.includes('Optionen');
const here = testIf(translated, 'a server with German messages');

const NAME = 'laden';
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0 };
let server: UpgradableServer;
let s3: S3Client;
let sql: postgres.Sql;
let archiver: Archiver;

beforeAll(async () => {
  if (!translated) return;
  s3 = makeS3Client();
  // What gettext goes by wherever the locale is another one than C.
  server = await startUpgradableServer({ LANGUAGE: 'de' });
  await prepareDatabase(server, NAME);
  archiver = archiverOn(server, NAME, s3, await makeBucket(s3, 'german'));
  ({ sql } = archiver.database);
  await createPartitionSet(sql, { months: 3, rowsPerMonth: 20 });
});
afterAll(async () => {
  if (!translated) return;
  s3.destroy();
  await sql.end({ timeout: 1 });
  await server.stop();
});

/** What a statement is refused with, and for how long it ran. */
async function refusal(asks: postgres.Sql, statement: string): Promise<{ error: Error; ranMs: number }> {
  const began = performance.now();
  const error = await asks
    .unsafe(`set statement_timeout = '300ms'; ${statement}`)
    .simple()
    .then(
      () => new Error('it succeeded'),
      (refused: unknown) => refused as Error,
    );
  return { error, ranMs: performance.now() - began };
}

// Seen to fail with the words "statement timeout" and '"partition_archiver"' in adapters/postgres/errors.ts.
here(
  'timeouts, rows too large and databases that are not prepared are known without their words',
  async () => {
    const slow = await refusal(sql, 'select pg_sleep(20)');
    expect(slow.error.message).toMatch(/Zeitüberschreitung/);
    expect(isStatementTimeout(slow.error, slow.ranMs, 300)).toBe(true);
    const large = await refusal(sql, `select repeat('x', 1200000000)`);
    expect(large.error.message).not.toMatch(/too large|memory/);
    expect(translate(large.error, 'export')).toMatchObject({ code: 'RowTooLarge' });

    const elsewhere = server.connect('postgres');
    const foreign = await refusal(elsewhere, 'select partition_archiver.schema_version()');
    await elsewhere.end();
    expect(foreign.error.message).toMatch(/Schema »partition_archiver« existiert nicht/);
    expect(translate(foreign.error, 'restore')).toMatchObject({ code: 'NotPrepared' });
  },
);

// Seen to fail without: lc_messages in db/schema/roles.sql; and without the look at "division by zero" in db/archive/preflight-database.sql.
here('what pg_partman passes on in words is English, or nothing is run', async () => {
  // With a premake of 2 pg_partman 4.7, which rounds to whole months, has nothing to make early in a month, and takes no lock.
  await sql`update partman.part_config set premake = 8`;
  const maintenance = async (): Promise<Error> => {
    const notices: string[] = [];
    const connection = archiver.open('archiver_maintain', notices);
    const set = archiver.config([SET]).partitionSets[0]!;
    try {
      return await sql.begin(async (holder) => {
        await holder`lock table app.event in access share mode`;
        return failureOf(maintainDatabase(connection, notices).runMaintenance(set));
      });
    } finally {
      await connection.end();
    }
  };
  expect(await maintenance()).toMatchObject({ code: 'LockNotAvailable' });

  // As where the installing role was no superuser.
  await sql.unsafe(
    'alter role archiver_maintain reset lc_messages; alter role archiver_read reset lc_messages',
  );
  expect(await maintenance()).toMatchObject({ code: 'DatabaseRejected' });
  const refused = await failureOf(archiver.run(archiver.config([SET])));
  expect(refused).toMatchObject({ code: 'PreflightFailed' });
  const [, remedy = ''] = /^setting lc_messages: .* or as a superuser: (.*;)$/m.exec(refused.message) ?? [];
  await sql.unsafe(remedy);
  expect(await archiver.run(archiver.config([SET]))).toMatchObject({
    archived: 1,
    dropped: 1,
    failed: 0,
    rows: 20,
  });
});
