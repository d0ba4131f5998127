/** A default_tablespace of the database that the archiver's roles have no rights on. */
import { expect } from '@jest/globals';
import { connect } from '../../../adapters/postgres/connect.ts';
import { installArchiver } from '../../../adapters/postgres/install.ts';
import { useArchiver } from '../../support/archiver.ts';
import { stack } from '../../support/stack.ts';
import { testSince } from '../../support/test-if.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
// Before 15 a tablespace needs a folder on the server.
const since15 = testSince(15);

// Seen to fail without default_tablespace in db/schema/settings.sql (installing: permission denied for tablespace), and without the
// look at it in preflight() of db/archive/preflight.sql (maintenance fails in each run).
since15(
  'the archiver is installed outside of it, and preflight lists the grant for new partitions',
  async () => {
    const { run, config, database } = archiver();
    const { sql, name } = database;
    const tablespace = `fast_${name.slice(-8)}`;
    await createPartitionSet(sql, { months: 3, rowsPerMonth: 10 });
    const session = await sql.reserve();
    try {
      await session`set allow_in_place_tablespaces = on`;
      await session`create tablespace ${session(tablespace)} location ''`;
      await session`alter database ${session(name)} set default_tablespace = ${session(tablespace)}`;
    } finally {
      session.release();
    }
    // A new session has it.
    const administrator = connect({
      ...stack().postgres,
      ...stack().postgres.superuser,
      database: name,
      tls: false,
      applicationName: 'test',
    });
    await installArchiver(administrator);
    await administrator.end();
    const settings = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
    try {
      const failure = await failureOf(run(settings));
      expect(failure.message).toBe(
        `role archiver_maintain: may not create partitions in tablespace ${tablespace}, which default_tablespace names. grant create on tablespace ${tablespace} to archiver_maintain;`,
      );
    } finally {
      await sql`alter database ${sql(name)} reset default_tablespace`;
      await sql`drop tablespace ${sql(tablespace)}`;
    }
    expect(await run(settings)).toMatchObject({ archived: 1, dropped: 1 });
  },
);
