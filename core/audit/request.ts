import * as z from 'zod';
import { wholeNumber } from '../config/fields.ts';
import type { ArchiveQuery } from './find.ts';
import { archiveFields, queryOf } from './find-request.ts';
import { parseInput } from '../input.ts';

/** Archives whose verdicts travel through the state machine at once, and so the largest sample. */
export const ARCHIVES_AT_ONCE = 100;

/** Input of *Audit*. */
export const auditSchema = z.strictObject({
  ...archiveFields,
  sample: z
    .strictObject({
      archives: wholeNumber(1, ARCHIVES_AT_ONCE).optional(),
      segments: wholeNumber(1, 1_000).optional(),
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
