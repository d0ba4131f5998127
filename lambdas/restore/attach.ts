import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { outcomeDatabase } from '../../adapters/postgres/restore/report.ts';
import { attach } from '../../core/restore/publish.ts';
import type { ArchiveRef, RestoreOptions } from '../../core/restore/request.ts';
import { step } from '../runtime/step.ts';

interface Event {
  readonly partitionId: number;
  readonly archive: ArchiveRef;
  readonly options: RestoreOptions;
  readonly execution: string;
  /** Of state machines that call again; those of before take any result for the end. */
  readonly waits?: boolean;
}

/** Validates foreign keys, attaches the table if that was asked for, and records that the archive is restored. */
export const handler = step(
  'attach',
  async (
    { partitionId, archive, options, execution, waits = false }: Event,
    { connection, open, remainingMs, clock, log },
  ) => {
    const database = restoreDatabase({ open, timeoutMs: remainingMs });
    const progress = await attach(partitionId, { ...options, waits }, { database, clock, log });
    if (progress.next === 'wait') return progress;
    await outcomeDatabase(connection).record(execution, archive.manifestKey, progress.restored);
    return { next: progress.next };
  },
);
