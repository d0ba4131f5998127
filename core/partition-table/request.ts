import * as z from 'zod';
import { identifier, matching, timeZone, wholeNumber } from '../config/fields.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { ACCEPTED } from '../limits.ts';
import { parseTableName } from '../table-name.ts';
import { EPOCHS, type PartialPlan, type PartitionTablePlan, type TableName } from './database.ts';

const period = (rule: string): z.ZodString =>
  matching(/^[1-9]\d{0,17}( (hour|day|week|month|year)s?)?$/, `must be ${rule}`);

/** Input of *PartitionTable*. */
export const partitionTableSchema = z
  .strictObject({
    table: z.string('must be a name such as "shop.orders"'),
    control: identifier.optional(),
    interval: period('an interval such as "1 month", or a number in quotes').optional(),
    retention: z
      .union(
        [z.literal('none'), period('')],
        'must be an interval such as "12 months", a number in quotes, or "none"',
      )
      .optional(),
    start: matching(/^[\w :.+-]{1,60}$/, 'must be a date, a time or a number in quotes').optional(),
    premake: wholeNumber(...ACCEPTED.premake).optional(),
    maxPartitions: wholeNumber(1, 100_000).optional(),
    trustFunctions: z.boolean('must be true or false').optional(),
    mode: z.enum(['online', 'offline'], 'must be online or offline').optional(),
    keys: z.enum(['extend', 'drop'], 'must be extend or drop').optional(),
    defaultPartition: z.boolean('must be true or false').optional(),
    epoch: z.enum(EPOCHS, 'must be none, seconds, milliseconds, microseconds or nanoseconds').optional(),
    timeZone: timeZone.optional(),
    upTo: z.enum(['check', 'swap'], 'must be check or swap').optional(),
    rollBack: z.literal(true, 'must be true, or left out').optional(),
    dropReplaced: z.literal(true, 'must be true, or left out').optional(),
  })
  .superRefine(({ table: _, ...others }, context) => {
    for (const verb of ['rollBack', 'dropReplaced'] as const) {
      if (others[verb] !== true) continue;
      for (const other of Object.keys(others).filter((each) => each !== verb)) {
        const message = `must be left out where ${verb} is there`;
        context.addIssue({ code: 'custom', path: [other], message });
      }
    }
  });

/** What an operator wants of *Partition table*. */
export type PartitionTableRequest =
  | { readonly kind: 'rollBack' | 'dropReplaced'; readonly table: TableName }
  | {
      readonly kind: 'partition';
      readonly upTo: 'check' | 'swap';
      /** What was said of the plan; a job under way knows the rest. */
      readonly plan: PartialPlan;
    };

/**
 * Reads `{ table, control, interval, retention, start?, premake?, mode?, keys?, defaultPartition?, epoch?, timeZone?,
 * maxPartitions?, trustFunctions?, upTo? }`,
 * of which only `table` is needed where a partitioning is under way; or `{ table, rollBack: true }`, or
 * `{ table, dropReplaced: true }`. Throws `InvalidInput` with every mistake at once.
 */
export function parsePartitionTableRequest(input: unknown): PartitionTableRequest {
  const {
    table,
    upTo = 'check',
    rollBack,
    dropReplaced,
    retention,
    ...rest
  } = parseInput(partitionTableSchema, input);
  const name = parseTableName(table);
  if (rollBack === true || dropReplaced === true)
    return { kind: rollBack === true ? 'rollBack' : 'dropReplaced', table: name };
  const plan = {
    ...name,
    ...rest,
    ...(retention !== undefined && { retention: retention === 'none' ? null : retention }),
  };
  return { kind: 'partition', upTo, plan };
}

/** The whole plan, for a new job. `InvalidInput` names everything that is missing. */
export function completePlan(plan: PartialPlan): PartitionTablePlan {
  const { control, interval, retention } = plan;
  if (control !== undefined && interval !== undefined && retention !== undefined) {
    return {
      ...plan,
      control,
      interval,
      retention,
      premake: plan.premake ?? 4,
      mode: plan.mode ?? 'online',
      defaultPartition: plan.defaultPartition ?? true,
      epoch: plan.epoch ?? 'none',
      timeZone: plan.timeZone ?? 'UTC',
    };
  }
  const missing = Object.entries({ control, interval, retention }).filter(([, value]) => value === undefined);
  const problems = missing.map(([field]) => `${field}: is missing; inspect proposes one`);
  throw new ArchiverError('InvalidInput', problems.join('; '));
}
