/** An older version is never installed over a newer one, and none while a step of an execution is at work. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { prepareDatabase } from '../../adapters/postgres/setup/prepare.ts';
import { readDatabaseFile, SCHEMA_VERSION } from '../../adapters/postgres/install.ts';
import { asAdministrator } from '../support/administrator.ts';
import { useArchiver } from '../support/archiver.ts';

const archiver = useArchiver();
const run = promisify(execFile);

/** Installs as `prepare` and *PrepareDatabase* do, and as psql does. */
const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
  prepare: async () => {
    const administrator = asAdministrator(archiver().database.name);
    try {
      await prepareDatabase(administrator).install([]);
    } finally {
      await administrator.end();
    }
  },
  psql: () => run('psql', ['-X', '-q', '-d', archiver().database.url, '-f', 'db/install.sql']),
};

test('the version stands in three places, and is the same', async () => {
  const { sql } = archiver().database;
  expect(await sql`select partition_archiver.schema_version() as version`).toEqual([
    { version: SCHEMA_VERSION },
  ]);
  expect(await readDatabaseFile('schema/check-installed.sql')).toContain(
    `v_version constant integer := ${SCHEMA_VERSION};`,
  );
});

// Seen to fail without: the comparison of the versions in db/schema/check-installed.sql (it was installed).
test.each(Object.keys(WAYS))('%s refuses to install an older version over a newer one', async (way) => {
  const { sql } = archiver().database;
  const [{ source }] = await sql<[{ source: string }]>`
    select pg_get_functiondef('partition_archiver.schema_version()'::regprocedure) as source`;
  await sql.unsafe(source.replace(/RETURN \d+/i, 'RETURN 99'));
  try {
    await expect(WAYS[way]?.()).rejects.toThrow(
      `this database has version 99 of the SQL of partition-archiver, which is newer than version ${SCHEMA_VERSION} that was to be installed; install and deploy the release that brought version 99, or a newer one`,
    );
    expect(await sql`select partition_archiver.schema_version() as version`).toEqual([{ version: 99 }]);
  } finally {
    await sql.unsafe(source);
  }
  await expect(WAYS[way]?.()).resolves.not.toThrow();
});

// Seen to fail without: the look at pg_stat_activity in db/schema/check-installed.sql (it was installed).
test.each(Object.keys(WAYS))(
  '%s refuses while a step is at work, and not where its session is idle',
  async (way) => {
    const step = archiver().open('archiver_read');
    try {
      await step.begin(async (transaction) => {
        await transaction`select 1`;
        await expect(WAYS[way]?.()).rejects.toThrow(
          /an execution of partition-archiver is at work in this database, by the sessions \d+ \(archiver_read, test.*\); wait until it has ended or stop it, then prepare again/,
        );
      });
      await expect(WAYS[way]?.()).resolves.not.toThrow();
    } finally {
      await step.end();
    }
  },
);
