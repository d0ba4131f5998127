import * as z from 'zod';
import { isRangeBound, type ArchiveQuery } from './find.ts';
import { identifier } from '../config/fields.ts';
import { parseInput } from '../input.ts';
import { parseTableName } from '../table-name.ts';

const rangeBoundRule = 'must be a date or time such as "2021-01-31", or a number in quotes';
/** An end of a range of archives. */
export const moment = z.string(rangeBoundRule).refine(isRangeBound, rangeBoundRule);

/** Which archives an operator means: fields that several verbs have. */
export const archiveFields = {
  partitionSet: z.string('must be a name such as "public.orders"').optional(),
  database: identifier.optional(),
  from: moment.optional(),
  to: moment.optional(),
};

/** Input of *Find*. */
export const findSchema = z.strictObject(archiveFields);

/** Reads `{ partitionSet?, from?, to?, database? }`, the database being a former name of it. The set need not be configured any more: its archives are there. */
export function parseFindRequest(input: unknown, database: string): ArchiveQuery {
  return queryOf(parseInput(findSchema, input), database);
}

/** The query for these fields; in the archive of this database where they name none. */
export function queryOf(
  { partitionSet, from, to, database: named }: z.output<typeof findSchema>,
  database: string,
): ArchiveQuery {
  return {
    database: named ?? database,
    ...(partitionSet !== undefined && parseTableName(partitionSet)),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}
