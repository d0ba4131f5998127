import type { S3Client } from '@aws-sdk/client-s3';
import { connect } from '../../adapters/postgres/connect.ts';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { LOGIN_ROLES } from '../../core/setup/prepare-database.ts';
import { makeArchiver, ROLE_PASSWORD, type Archiver } from './archiver.ts';
import type { UpgradableServer } from './upgradable-server.ts';

/** Makes a database with pg_partman, aws_s3 and the archiver on a test file's own server. */
export async function prepareDatabase(server: UpgradableServer, name: string): Promise<void> {
  const admin = server.connect('postgres');
  await admin.unsafe(`create database ${name}`);
  await admin.end();
  const sql = server.connect(name);
  await sql`create schema partman`;
  await sql`create extension pg_partman schema partman`;
  await sql`create extension aws_s3 cascade`;
  await installArchiver(sql);
  for (const role of LOGIN_ROLES) {
    await sql.unsafe(`alter role ${role} password '${ROLE_PASSWORD}'`);
  }
  await sql.end();
}

/** An archiver for such a database, without a pooler. The caller ends its `database.sql`. */
export function archiverOn(server: UpgradableServer, name: string, s3: S3Client, bucket: string): Archiver {
  const { host, port } = server;
  return makeArchiver({
    s3,
    bucket,
    database: { name, url: '', sql: server.connect(name) },
    open: (user, notices = [], database = name) =>
      connect(
        { host, port, database, user, password: ROLE_PASSWORD, tls: false, applicationName: 'test' },
        (notice) => notices.push(notice),
      ),
  });
}
