import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Connection } from '../../adapters/postgres/connect.ts';
import { releaseDatabase } from '../../adapters/postgres/ledger/release.ts';
import { upgradeLedgerDatabase } from '../../adapters/postgres/ledger/upgrade.ts';
import { drillDatabase } from '../../adapters/postgres/restore/drill.ts';
import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { outcomeDatabase } from '../../adapters/postgres/restore/report.ts';
import {
  reverifyCandidates,
  reverifyFence,
  reverifyReading,
} from '../../adapters/postgres/reverify/steps.ts';
import { s3ArchiveStore } from '../../adapters/s3/archive-store.ts';
import { readManifest } from '../../core/archive-store.ts';
import { auditAll } from '../../core/audit/all.ts';
import type { AuditReport } from '../../core/audit/report.ts';
import type { AuditRequest } from '../../core/audit/request.ts';
import { audit, type AuditSample, type AuditVerdict } from '../../core/audit/check.ts';
import type { Expiry } from '../../core/config/runtime.ts';
import { find, type ArchiveQuery, type FindResult } from '../../core/audit/find.ts';
import {
  upgradeLedger,
  type UpgradeLedgerReport,
  type UpgradeLedgerRequest,
} from '../../core/ledger/upgrade.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { withConnectionTries } from '../../core/retry.ts';
import { release, resume, type Released, type Resumed } from '../../core/ledger/release.ts';
import { drill, restore, restoreAll } from '../../core/restore/local.ts';
import type { DrillDatabase, SuccessfulDrill } from '../../core/restore/drill.ts';
import type { Restored } from '../../core/restore/publish.ts';
import type { OutcomeDatabase, RestoreReport } from '../../core/restore/report.ts';
import { reverify } from '../../core/reverify/steps.ts';
import { using } from './command.ts';
import type { DatabaseRole } from './steps.ts';

/** What the operator's verbs are wired to. `find` and `audit` use the bucket only. */
export interface OperationWiring {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** When archives are given up; an audit counts those. */
  readonly expiry?: Expiry | undefined;
  readonly open: (role: DatabaseRole | 'archiver_restore') => Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Segments imported, and ranges of a proof read, at the same time. */
  readonly segmentsAtOnce: number;
  /** Archives restored at the same time. */
  readonly archivesAtOnce: number;
}

/** What an operator does by hand, each a verb of the local command. */
export interface Operations {
  /** Which archives exist. */
  find(query: ArchiveQuery): Promise<FindResult>;
  /** Reads one archive back and compares it with its manifest. */
  audit(manifestKey: string, sample: AuditSample, versionId?: string): Promise<AuditVerdict>;
  /** Restores one archive; the input is that of `parseRestoreRequest`. */
  restore(input: unknown): Promise<Restored>;
  /** Restores every archive that the input asks for; `database` is whose archives are meant where it does not say. */
  restoreAll(input: unknown, database: string): Promise<RestoreReport>;
  /** Tries whether a random archive of a database can be restored; `null` where there is none. */
  drill(input: unknown, database: string): Promise<SuccessfulDrill | null>;
  /** Gives a restore up that was interrupted, by its number in `partition_archiver.restore`. */
  cancelRestore(restoreId: number): Promise<void>;
  resume(partitionId: number): Promise<Resumed>;
  release(partitionId: number, owner?: string): Promise<Released>;
  upgradeLedger(request: UpgradeLedgerRequest): Promise<UpgradeLedgerReport>;
  reverify(partitionId: number): Promise<{ readonly segments: number; readonly rows: number }>;
  /** Those that *Reverify* means by `{"all": "verified"}`. */
  reverifiable(): Promise<readonly number[]>;
  /** Audits many archives, one after the other; `say` gets a line for each. */
  auditMany(request: AuditRequest, say: (line: string) => void): Promise<AuditReport>;
}

/** Longest statement of a restore: an index over a large partition takes long, and nothing waits for it here. */
const RESTORE_TIMEOUT_MS = 12 * 60 * 60_000;

/** The operator's verbs in this process. */
export function localOperations(wiring: OperationWiring): Operations {
  const { s3, bucket, region, expiry, open, clock, log, segmentsAtOnce, archivesAtOnce } = wiring;
  const store = s3ArchiveStore(s3, bucket, region);
  const restoring = (): ReturnType<typeof restoreDatabase> =>
    restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: RESTORE_TIMEOUT_MS });
  const ports = () => ({ database: restoring(), store, clock, log, segmentsAtOnce });
  const as = <T>(
    login: DatabaseRole | 'archiver_restore',
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> => using(open(login), work);
  // Each call on a connection of its own: one for a whole restore would be idle for hours, and closed meanwhile.
  const outcomes: OutcomeDatabase = {
    record: (...outcome) =>
      as('archiver_restore', (connection) => outcomeDatabase(connection).record(...outcome)),
    outcomes: (...of) => as('archiver_restore', (connection) => outcomeDatabase(connection).outcomes(...of)),
  };
  const drills: DrillDatabase = {
    finishDrill: (...of) =>
      as('archiver_restore', (connection) => drillDatabase(connection).finishDrill(...of)),
    cancelOldDrills: (...of) =>
      as('archiver_restore', (connection) => drillDatabase(connection).cancelOldDrills(...of)),
  };
  return {
    find: (query) => find(query, { store }),
    audit: async (manifestKey, sample, versionId) =>
      audit(await readManifest(store, manifestKey, versionId), sample, { store, log }),
    restore: (input) => restore(input, ports()),
    restoreAll: (input, databaseName) =>
      restoreAll(input, { ...ports(), outcomes, databaseName, archivesAtOnce, execution: randomUUID() }),
    drill: (input, databaseName) =>
      drill(input, {
        ...ports(),
        database: { ...restoring(), ...drills },
        metrics: { lastSuccess: () => undefined },
        databaseName,
        execution: randomUUID(),
        random: Math.random,
      }),
    // What an interrupted restore began, the server may still be at.
    cancelRestore: (id) => withConnectionTries(clock, () => restoring().cancel(id)),
    resume: (partitionId) =>
      as('archiver_maintain', (connection) =>
        resume({ partitionId }, { database: releaseDatabase(connection), clock, log }),
      ),
    release: (partitionId, owner) =>
      as('archiver_maintain', (connection) =>
        release({ partitionId, owner }, { database: releaseDatabase(connection), clock, log }),
      ),
    upgradeLedger: (request) =>
      as('archiver_maintain', (connection) =>
        upgradeLedger(request, { database: upgradeLedgerDatabase(connection), clock, log }),
      ),
    auditMany: (request, say) =>
      auditAll(request, {
        store,
        expiry,
        clock,
        log,
        say,
        random: Math.random,
        metrics: { audit: () => undefined },
      }),
    reverifiable: () => as('archiver_read', (connection) => reverifyCandidates(connection).reverifiable()),
    reverify: (partitionId) =>
      as('archiver_maintain', (maintain) =>
        as('archiver_read', (read) => {
          const database = {
            ...reverifyFence(maintain),
            ...reverifyReading(read, () => open('archiver_read')),
          };
          return reverify(partitionId, { database, store, clock, log });
        }),
      ),
  };
}
