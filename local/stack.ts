/**
 * The local stack: what the archiver needs of AWS, on this machine, out of real components.
 *
 * | in AWS | here |
 * |---|---|
 * | RDS for PostgreSQL, with aws_s3 | PostgreSQL, with the stand-in extension of `extensions/` |
 * | RDS Proxy | PgBouncer, transaction mode, TLS |
 * | S3 | Ceph's RADOS Gateway |
 * | Secrets Manager, Glue | stubs of their protocols |
 */
import { join, resolve } from 'node:path';
import { ensureCertificates } from './stack/certificates.ts';
import { ensureCredentials } from './stack/credentials.ts';
import { ensureExtensions } from './stack/extensions.ts';
import { installedPostgres, partmanVersion } from './stack/installation.ts';
import type { PostgresInstallation } from './stack/installation.ts';
import { startGlue } from './stack/glue.ts';
import type { JsonService } from './stack/json-service.ts';
import { startObjectStore } from './stack/object-store.ts';
import { stopOnSignals, takeOwnership } from './stack/owner.ts';
import { freePorts } from './stack/ports.ts';
import { preparePooler } from './stack/pooler.ts';
import { preparePostgres, socketDirectory, SUPERUSER } from './stack/postgres.ts';
import { Supervisor } from './stack/processes.ts';
import { startSecretsManager, type SecretsManager } from './stack/secrets-manager.ts';
import { ensureServiceDirectory } from './stack/service-directory.ts';
import { startSidecar } from './stack/sidecar.ts';

/** Where the parts of a stack are, as plain data that can be handed to another process. */
export interface StackCoordinates {
  readonly directory: string;
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly superuser: { readonly user: string; readonly password: string };
  };
  /** TLS is demanded; any database and any role of the server can be asked for. */
  readonly pooler: {
    readonly host: string;
    readonly port: number;
    readonly caFile: string;
    /** May read PgBouncer's own console, the database `pgbouncer`. */
    readonly admin: { readonly user: string; readonly password: string };
  };
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    /** The one key that SSE-KMS knows. */
    readonly kmsKeyArn: string;
  };
  readonly secrets: { readonly endpoint: string };
  readonly glue: { readonly endpoint: string };
}

/** A running local stack. */
export interface LocalStack extends StackCoordinates {
  putSecret(arn: string, value: Record<string, unknown>): void;
  /** Cuts every client of the pooler off and starts it again on the same port. */
  restartPooler(): Promise<void>;
  /** Kills the whole server with -9. */
  killPostgres(): Promise<void>;
  /** Starts the server after a kill; resolves when it has recovered. */
  startPostgres(): Promise<void>;
  stop(): Promise<void>;
}

export interface LocalStackOptions {
  /** Holds everything that the stack writes; a stopped stack starts again with the data that it has there. */
  readonly directory: string;
  /** `memory` forgets objects at the end, and gives PostgreSQL's durability up for speed. */
  readonly objectStore: 'memory' | 'disk';
  /** @default the newest PostgreSQL of this machine that has pg_partman */
  readonly installation?: PostgresInstallation;
  readonly log: (line: string) => void;
}

const HOST = '127.0.0.1';
/** The gateway belongs to no region; us-east-1 is the one that S3 wants no location constraint for. */
const REGION = 'us-east-1';
const KMS_KEY_ARN = `arn:aws:kms:${REGION}:123456789012:key/11111111-2222-3333-4444-555555555555`;

/** Starts a stack and resolves when every part of it is ready. When a part fails, the others are ended again. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const directory = resolve(options.directory);
  const release = await takeOwnership(directory, options.log);
  const supervisor = await Supervisor.open(directory, options.log);
  const undo = [release, () => supervisor.stopAll()];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll());
  const stopAll = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
    detach();
  };
  const detach = stopOnSignals(stop);
  try {
    return await start({ ...options, directory }, supervisor, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  { directory, objectStore, installation = installedPostgres(), log }: LocalStackOptions,
  supervisor: Supervisor,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<LocalStack> {
  await ensureExtensions(installation);
  const credentials = ensureCredentials(directory);
  const services = await ensureServiceDirectory(directory);
  const ports = await freePorts(['postgres', 'pooler', 'gateway', 'sidecar', 'monitorV1', 'monitorV2']);
  const s3 = {
    endpoint: `http://${HOST}:${String(ports.gateway)}`,
    region: REGION,
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    kmsKeyArn: KMS_KEY_ARN,
  };

  const startDatabase = async () => {
    const certificates = await ensureCertificates(join(services, 'tls'));
    const common = { ...credentials, certificates };
    const postgres = await preparePostgres(
      {
        ...common,
        installation,
        directory: join(services, 'postgres'),
        port: ports.postgres,
        sidecarUrl: `http://${HOST}:${String(ports.sidecar)}`,
        durable: objectStore === 'disk',
      },
      supervisor,
    );
    await postgres.start();
    const versions = `${String(installation.major)} with pg_partman ${partmanVersion(installation)}`;
    log(`PostgreSQL ${versions} listens on port ${String(ports.postgres)}`);
    const pooler = await preparePooler(
      {
        ...common,
        directory: join(services, 'pooler'),
        port: ports.pooler,
        postgresPort: ports.postgres,
        postgresSockets: socketDirectory(join(services, 'postgres')),
      },
      supervisor,
    );
    await pooler.start();
    log(`PgBouncer listens on port ${String(ports.pooler)}`);
    return { postgres, pooler, certificates };
  };
  const startObjects = async (): Promise<void> => {
    const ceph = { ...s3, ...credentials, directory: join(directory, 'ceph'), kind: objectStore, ports };
    const starting = [
      startSidecar({ directory, port: ports.sidecar, s3 }, supervisor),
      startObjectStore(ceph, supervisor),
    ] as const;
    await Promise.allSettled(starting);
    const [sidecar] = await Promise.all(starting);
    await sidecar.sweep();
    log(`the S3 gateway listens on port ${String(ports.gateway)}`);
  };

  const startSecrets = async (): Promise<SecretsManager> => {
    const manager = await startSecretsManager();
    undo.push(() => manager.close());
    return manager;
  };

  const startCatalog = async (): Promise<JsonService> => {
    const glue = await startGlue();
    undo.push(() => glue.close());
    return glue;
  };

  // All come to their end first, even when one fails: nothing may be started after the stop that follows.
  const starting = [startDatabase(), startObjects(), startSecrets(), startCatalog()] as const;
  await Promise.allSettled(starting);
  const [{ postgres, pooler, certificates }, , secrets, glue] = await Promise.all(starting);

  return {
    directory,
    postgres: {
      host: HOST,
      port: ports.postgres,
      superuser: { user: SUPERUSER, password: credentials.superuserPassword },
    },
    pooler: {
      host: HOST,
      port: ports.pooler,
      caFile: certificates.authorityFile,
      admin: pooler.admin,
    },
    s3,
    secrets: { endpoint: secrets.endpoint },
    glue: { endpoint: glue.endpoint },
    putSecret: (arn, value) => {
      secrets.put(arn, value);
    },
    restartPooler: () => pooler.restart(),
    killPostgres: () => postgres.kill(),
    startPostgres: () => postgres.start(),
    stop,
  };
}
