import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { ensureCertificates } from '../../local/stack/certificates.ts';
import { asServiceAccount, giveToServiceAccount, run } from '../../local/stack/commands.ts';
import { ensureExtensions } from '../../local/stack/extensions.ts';
import { programFolder, type PostgresInstallation } from '../../local/stack/installation.ts';
import { freePorts } from '../../local/stack/ports.ts';
import { preparePostgres, socketDirectory, SUPERUSER } from '../../local/stack/postgres.ts';
import { Supervisor } from '../../local/stack/processes.ts';
import { startSidecar } from '../../local/stack/sidecar.ts';
import { stack, testInstallation } from './stack.ts';

const HOST = '127.0.0.1';
const PASSWORD = 'for-tests-only';

/** A server of one test file's own, with the run's S3 behind its aws_s3, that can be upgraded as RDS does it. */
export interface UpgradableServer {
  readonly host: string;
  readonly port: number;
  /** Connects as superuser. */
  connect(database: string): postgres.Sql;
  /** Stops the server and starts the one that `pg_upgrade` makes of it, on the same port. */
  upgrade(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the run's PostgreSQL, with variables and settings of its own. It is upgraded to the same version, which is a new cluster with an identifier of its own
 * all the same. From Debian 12's 15.20 no newer one can be made: it keeps options of columns (pg_attver) that they refuse.
 */
export async function startUpgradableServer(
  environment: Readonly<Record<string, string>> = {},
  settings: Readonly<Record<string, string>> = {},
): Promise<UpgradableServer> {
  const installation = testInstallation();
  await ensureExtensions(installation);
  const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-upgrade-'));
  chmodSync(directory, 0o755);
  const { port, sidecar } = await freePorts(['port', 'sidecar']);
  const certificates = await ensureCertificates(dirname(stack().pooler.caFile));
  const supervisors: Supervisor[] = [];
  const supervise = async (name: string): Promise<{ folder: string; supervisor: Supervisor }> => {
    const folder = join(directory, name);
    await mkdir(folder);
    await giveToServiceAccount(folder);
    const supervisor = await Supervisor.open(folder, () => undefined);
    supervisors.push(supervisor);
    return { folder, supervisor };
  };
  const prepare = async (name: string) => {
    const { folder, supervisor } = await supervise(name);
    const server = await preparePostgres(
      {
        installation,
        directory: folder,
        port,
        certificates,
        durable: false,
        environment,
        settings,
        superuserPassword: PASSWORD,
        poolerPassword: PASSWORD,
        sidecarUrl: `http://${HOST}:${String(sidecar)}`,
      },
      supervisor,
    );
    return { folder, supervisor, server };
  };
  const beside = await supervise('sidecar');
  await startSidecar({ directory: beside.folder, port: sidecar, s3: stack().s3 }, beside.supervisor);
  const old = await prepare('old');
  await old.server.start();

  return {
    host: HOST,
    port,
    connect: (database) =>
      postgres({
        host: HOST,
        port,
        database,
        user: SUPERUSER,
        password: PASSWORD,
        max: 2,
        onnotice: () => undefined,
      }),
    upgrade: async () => {
      await old.supervisor.stopAll();
      const upgraded = await prepare('new');
      await pgUpgrade(old.folder, upgraded.folder, installation);
      // Roles and grants came over, those of the pooler too.
      writeFileSync(join(upgraded.folder, 'complete'), '');
      await upgraded.server.start();
    },
    stop: async () => {
      for (const supervisor of supervisors.reverse()) await supervisor.stopAll();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function pgUpgrade(from: string, to: string, installation: PostgresInstallation): Promise<void> {
  const programs = programFolder(installation);
  // What fails it says on its standard output, and why in the log of one of its programs.
  const loudly = [
    'sh',
    '-c',
    '"$@" > upgrade.log || { tail -n 5 upgrade.log data/pg_upgrade_output.d/*/log/*_dump_*.log >&2; exit 1; }',
    'sh',
  ];
  await run(
    asServiceAccount([
      ...loudly,
      join(programs, 'pg_upgrade'),
      '-U',
      SUPERUSER,
      '--socketdir',
      socketDirectory(to),
      '--old-bindir',
      programs,
      '--new-bindir',
      programs,
      '--old-datadir',
      join(from, 'data'),
      '--new-datadir',
      join(to, 'data'),
    ]),
    { cwd: to, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } },
  );
}
