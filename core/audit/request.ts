import * as z from 'zod';
import { wholeNumber } from '../config/fields.ts';
import type { ArchiveQuery } from './find.ts';
import { archiveFields, queryOf } from './find-request.ts';
import { parseInput } from '../input.ts';
import { ACCEPTED } from '../limits.ts';

/** Archives whose verdicts travel through the state machine at once, and so the largest sample. */
export const ARCHIVES_AT_ONCE = ACCEPTED.auditedArchives[1];

/** Input of *Audit*. */
export const auditSchema = z.strictObject({
  ...archiveFields,
  sample: z
    .strictObject({
      archives: wholeNumber(...ACCEPTED.auditedArchives).optional(),
      segments: wholeNumber(...ACCEPTED.auditedSegments).optional(),
    })
    .optional(),
});

/** Which archives are read back, and how much of them. */
export interface AuditRequest {
  readonly query: ArchiveQuery;
  /** So many archives, chosen at random; `null` for all. */
  readonly archives: number | null;
  /** So many segments of each, chosen at random; `null` for all. */
  readonly segments: number | null;
}

/** Reads `{ partitionSet?, from?, to?, database?, sample?: { archives?, segments? } }`. Throws `InvalidInput`. */
export function parseAuditRequest(input: unknown, database: string): AuditRequest {
  const { sample, ...fields } = parseInput(auditSchema, input);
  return {
    query: queryOf(fields, database),
    archives: sample?.archives ?? null,
    segments: sample?.segments ?? null,
  };
}
