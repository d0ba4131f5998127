import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import type postgres from 'postgres';
import { localOperations, type Operations, type OperationWiring } from '../../bin/archive/operations.ts';
import { localSteps, type Wiring } from '../../bin/archive/steps.ts';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { silentLog, type Clock } from '../../core/ports.ts';
import { LOGIN_ROLES, type LoginRole } from '../../core/setup/prepare-database.ts';
import { run, type Steps } from '../../core/archive/run.ts';
import type { RunReport } from '../../core/archive/report.ts';
import { cheapVerifier } from '../../local/stack/postgres.ts';
import { stack, useDatabase, type TestDatabase } from './database.ts';
import { withRoleRetries } from './roles.ts';
import { makeBucket, makeS3Client } from './s3.ts';

/** Time, with pauses cut short so that retries do not cost a test its time. */
export const hurriedClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 50))),
};

/** Password of the login roles in tests. */
export const ROLE_PASSWORD = 'for-tests-only';

/** A database with the archiver installed, a bucket, and the steps wired to both through the pooler. */
export interface Archiver {
  readonly database: TestDatabase;
  readonly s3: S3Client;
  readonly bucket: string;
  /** Connects through the pooler as a database role. */
  open(role: LoginRole, notices?: string[], database?: string): Connection;
  /** The operator's verbs, in this database or another one that has the archiver. */
  operations(changes?: Partial<OperationWiring>): Operations;
  config(partitionSets: readonly Record<string, unknown>[]): RuntimeConfig;
  steps(config: RuntimeConfig, changes?: Partial<Wiring>): Steps;
  /** A whole run in this process. */
  run(config: RuntimeConfig, input?: unknown, changes?: Partial<Steps>): Promise<RunReport>;
}

/** Gives a test file an archiver of its own. */
export function useArchiver(): () => Archiver {
  const database = useDatabase({ template: 'archiver' });
  let s3: S3Client | undefined;
  let bucket = '';

  beforeAll(async () => {
    s3 = makeS3Client();
    bucket = await makeBucket(s3, 'archive');
    await setRolePasswords(database().sql);
  });
  afterAll(() => {
    s3?.destroy();
  });

  return () => {
    if (s3 === undefined) throw new Error('the archiver exists only while tests run');
    return makeArchiver({ database: database(), s3, bucket, open: throughPooler(database()) });
  };
}

/**
 * Gives the login roles of the archiver their password, once for a server: even the same password gets a new salt, and
 * the pooler, which logs in as its client did, is refused.
 */
export async function setRolePasswords(sql: postgres.Sql): Promise<void> {
  for (const role of LOGIN_ROLES) {
    await withRoleRetries(() =>
      sql.unsafe(
        `do $$ begin if (select rolpassword is null from pg_authid where rolname = '${role}') then
           alter role ${role} password '${cheapVerifier(role, ROLE_PASSWORD)}'; end if; end $$`,
      ),
    );
  }
}

function throughPooler(database: TestDatabase): Archiver['open'] {
  const { host, port, caFile } = stack().pooler;
  const tls = { ca: readFileSync(caFile, 'utf8') };
  return (role, notices = [], name = database.name) =>
    connect(
      {
        host,
        port,
        database: name,
        user: role,
        password: ROLE_PASSWORD,
        tls,
        applicationName: 'test',
      },
      (notice) => notices.push(notice),
    );
}

/** An archiver on any server; `open` connects to it. */
export function makeArchiver({
  database,
  s3,
  bucket,
  open,
}: Pick<Archiver, 'database' | 's3' | 'bucket' | 'open'>): Archiver {
  const { region } = stack().s3;
  const steps = (config: RuntimeConfig, changes: Partial<Wiring> = {}): Steps =>
    localSteps({ config, s3, bucket, region, open, clock: hurriedClock, log: silentLog, ...changes });
  return {
    database,
    s3,
    bucket,
    open,
    steps,
    operations: (changes = {}) =>
      localOperations({
        s3,
        bucket,
        region,
        open,
        clock: hurriedClock,
        log: silentLog,
        segmentsAtOnce: 2,
        archivesAtOnce: 2,
        ...changes,
      }),
    config: (partitionSets) => {
      const parsed = parseRuntimeConfig({ partitionSets });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      return parsed.config;
    },
    run: (config, input = {}, changes = {}) =>
      run(input, { ...steps(config), ...changes }, { concurrency: config.concurrency, clock: hurriedClock }),
  };
}
