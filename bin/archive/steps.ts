import { randomBytes } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { commitDatabase } from '../../adapters/postgres/archive/commit.ts';
import type { Connection } from '../../adapters/postgres/connect.ts';
import { detectDatabase } from '../../adapters/postgres/archive/detect.ts';
import { dropDatabase } from '../../adapters/postgres/archive/drop.ts';
import { exportDatabase } from '../../adapters/postgres/archive/export.ts';
import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { databaseProblems } from '../../adapters/postgres/archive/preflight.ts';
import { quarantineDatabase } from '../../adapters/postgres/archive/quarantine.ts';
import { failureDatabase } from '../../adapters/postgres/archive/record-failure.ts';
import { reportDatabase } from '../../adapters/postgres/archive/report.ts';
import { readStatus } from '../../adapters/postgres/archive/status.ts';
import { streamDatabase } from '../../adapters/postgres/archive/stream.ts';
import { verifyDatabase } from '../../adapters/postgres/archive/verify.ts';
import { s3ObjectStore } from '../../adapters/s3/object-store.ts';
import { s3ObjectWriter } from '../../adapters/s3/upload.ts';
import { bucketProblems } from '../../adapters/s3/preflight.ts';
import { commit } from '../../core/archive/commit.ts';
import { readableDays, type RuntimeConfig } from '../../core/config/runtime.ts';
import { detect } from '../../core/archive/detect.ts';
import { drop } from '../../core/archive/drop.ts';
import { exportSegment } from '../../core/archive/export.ts';
import { keyPart } from '../../core/keys.ts';
import { maintain } from '../../core/archive/maintain.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { preflight } from '../../core/archive/preflight.ts';
import { findSet, quarantine } from '../../core/archive/quarantine.ts';
import { recordFailure } from '../../core/archive/record-failure.ts';
import { report } from '../../core/archive/report.ts';
import type { Steps } from '../../core/archive/run.ts';
import { streamSegment, streamSettings } from '../../core/archive/stream.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import { using } from './command.ts';

/** The database roles that steps run as. */
export type DatabaseRole = 'archiver_maintain' | 'archiver_read' | 'archiver_drop';

/** What the steps are wired to. */
export interface Wiring {
  readonly config: RuntimeConfig;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Opens a connection as a role; `notices` collects what its server says. */
  readonly open: (role: DatabaseRole, notices?: string[]) => Connection;
  readonly clock: Clock;
  readonly log: Log;
}

/** A segment that takes longer than this is split; the Lambdas have about as much. */
const EXPORT_TIMEOUT_MS = 14 * 60_000;

/** The steps in this process: each with a connection of its own as its database role, as each Lambda has. */
export function localSteps({ config, s3, bucket, region, open, clock, log }: Wiring): Steps {
  const store = s3ObjectStore(s3, bucket, region);
  const as = <T>(
    role: DatabaseRole,
    work: (connection: Connection, notices: string[]) => Promise<T>,
  ): Promise<T> => {
    const notices: string[] = [];
    return using(open(role, notices), (connection) => work(connection, notices));
  };
  return {
    preflight: (input) =>
      as('archiver_read', (connection) => {
        const database = {
          problems: (sets: RuntimeConfig['partitionSets']) =>
            databaseProblems(connection, sets, config.acceptedPublications),
        };
        const problems = {
          problems: async () => {
            const [row] = await connection<[{ name: string }]>`select current_database() as name`;
            const prefix = `${keyPart(row.name)}/`;
            const { objectLock, expiry } = config;
            return bucketProblems(s3, bucket, {
              region,
              prefix,
              locked: objectLock !== undefined,
              expiry,
              readableDays: readableDays(config),
            });
          },
        };
        return preflight(input, config, { database, bucket: problems, log }, clock.now());
      }),
    maintain: (request) =>
      as('archiver_maintain', (connection, notices) =>
        maintain(request, config, { database: maintainDatabase(connection, notices), clock, log }),
      ),
    detect: (request) =>
      as('archiver_maintain', (connection) =>
        detect(request, config, { database: detectDatabase(connection), log }),
      ),
    quarantine: (partitionId, request) =>
      as('archiver_maintain', (connection) =>
        quarantine(partitionId, request, config, { database: quarantineDatabase(connection), clock, log }),
      ),
    export: (partitionId, segmentNumber) =>
      as('archiver_read', async (connection) => {
        const set = findSet(await readStatus(connection, partitionId), config);
        if (set.export === 'stream') {
          const database = streamDatabase(connection, () => open('archiver_read'), EXPORT_TIMEOUT_MS);
          const random = (): string => randomBytes(8).toString('hex');
          const writer = s3ObjectWriter(s3, bucket);
          return streamSegment(partitionId, segmentNumber, streamSettings(set), {
            database,
            writer,
            random,
            log,
          });
        }
        const database = exportDatabase(connection, EXPORT_TIMEOUT_MS);
        return exportSegment(partitionId, segmentNumber, { bucket, region }, { database, log });
      }),
    verify: (partitionId, segmentNumber) =>
      as('archiver_read', (connection) => {
        const database = verifyDatabase(connection, {
          open: () => open('archiver_read'),
          isVerifyEndpoint: false,
        });
        return verifySegment(partitionId, segmentNumber, { database, store, clock, log });
      }),
    commit: (partitionId, request) =>
      as('archiver_read', (connection) =>
        commit(partitionId, request, config, { database: commitDatabase(connection), store, clock, log }),
      ),
    drop: (partitionId) =>
      as('archiver_drop', (connection) =>
        drop(partitionId, config.expiry, { database: dropDatabase(connection), store, clock, log }),
      ),
    recordFailure: (partitionId, failure) =>
      as('archiver_read', (connection) =>
        recordFailure(partitionId, failure, { database: failureDatabase(connection), log }),
      ),
    report: (input) =>
      as('archiver_read', (connection) =>
        report(
          input,
          // The terminal has the report already; no metrics are published here.
          {
            database: reportDatabase(connection),
            metrics: { run: () => undefined, lastSuccess: () => undefined },
            log,
          },
          clock.now(),
        ),
      ),
  };
}
