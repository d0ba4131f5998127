import * as z from 'zod';
import { alarmsSchema } from './alarms.ts';
import { catalogName } from './catalog-name.ts';
import { archiveSchema } from './archive.ts';
import { databaseSchema } from './database.ts';
import { ACCEPTED } from '../limits.ts';
import { REGION } from './endpoints.ts';
import { matching, problemsBy, timeZone, validatedWith, wholeNumber } from './fields.ts';
import { networkSchema } from './network.ts';
import { partitionSetsSchema } from './partition-set.ts';
import { parseConfig, type Parsed } from './problems.ts';
import {
  acceptedPublicationsSchema,
  concurrencySchema,
  DAYS_TO_CONVERT,
  glueDatabaseSchema,
} from './runtime.ts';
import { DAYS_BEFORE_EXPIRY, leastTierDays } from './copy-days.ts';
import { longestPauseDays } from './longest-pause.ts';
import { placeProblems } from './places.ts';
import { scheduleExpression } from './schedule-expression.ts';
import { tagsSchema } from './tags.ts';

/** An archive that expires sooner after its table was dropped is more likely a slip of the pen. */
const DAYS_KEPT_AFTER_DROP = 30;

const accountSchema = matching(/^\d{12}$/, 'must be an AWS account of 12 digits');
// Without a Region here, a rule of the template looks at the domain (lib/partition-archiver.ts).
const regionSchema = matching(
  REGION,
  'must be an AWS Region such as eu-central-1, whose services are in the domain amazonaws.com',
);

/** When each workflow is started. */
export const DEFAULT_SCHEDULE = {
  archive: 'cron(0 3 1 * ? *)',
  inventory: 'cron(0 1 * * ? *)',
  drop: 'cron(0 5 * * ? *)',
  convert: 'cron(0 6 * * ? *)',
} as const;

const scheduleSchema = z.strictObject({
  timeZone: timeZone.default('UTC').describe('Time zone of the expressions.'),
  archive: scheduleExpression
    .default(DEFAULT_SCHEDULE.archive)
    .describe('The whole run: maintenance, archive, drop. Default: on the first of each month at 03:00.'),
  inventory: scheduleExpression
    .default(DEFAULT_SCHEDULE.inventory)
    .describe(
      'Records which partitions exist, in case another session detaches them. Default: daily at 01:00.',
    ),
  drop: scheduleExpression
    .default(DEFAULT_SCHEDULE.drop)
    .describe('Drops partitions whose grace period is over. Default: daily at 05:00.'),
  convert: scheduleExpression
    .default(DEFAULT_SCHEDULE.convert)
    .describe('Makes Parquet copies for the sets with query. Default: daily at 06:00.'),
  windowMinutes: wholeNumber(0, 240)
    .default(15)
    .describe(
      'Minutes within which EventBridge Scheduler starts each execution, so that stacks with the same schedule do not start together. 0: on time.',
    ),
  audit: scheduleExpression
    .optional()
    .describe('Reads archives back and compares them with their manifests. Default: not scheduled.'),
  auditSample: z
    .union(
      [
        z.literal('all'),
        z.strictObject({
          archives: wholeNumber(...ACCEPTED.auditedArchives)
            .optional()
            .describe('Number of archives. Default: all.'),
          segments: wholeNumber(...ACCEPTED.auditedSegments)
            .optional()
            .describe('Number of segments of each archive. Default: all.'),
        }),
      ],
      'must be "all", or an object such as {"archives": 10, "segments": 4}',
    )
    .default({ archives: 10, segments: 4 })
    .describe('Random sample that each scheduled audit reads back.'),
});

const drillSchema = z.strictObject({
  schedule: scheduleExpression.describe(
    'Schedule of restore drills, in schedule.timeZone. Suggested, monthly: cron(0 4 15 * ? *).',
  ),
  maxMiB: wholeNumber(...ACCEPTED.drillMiB)
    .default(1024)
    .describe('Largest archive that a drill restores, in MiB of data.'),
});

/** Each set is in the definitions of several states, and has graphs of its own; a template of 1 MB has room for so many. */
const MOST_SETS = 150;

/** The one deployment file. */
const deploymentFields = z.strictObject({
  $schema: z.string().optional().describe('For editors.'),
  stackName: matching(
    /^[A-Za-z][A-Za-z0-9-]{0,99}$/,
    'must be a CloudFormation stack name: a letter, then letters, digits and hyphens',
  ).default('PartitionArchiver'),
  env: z
    .strictObject({ account: accountSchema, region: regionSchema })
    .optional()
    .describe('Account and Region. Default: those of the credentials that deploy.'),
  database: databaseSchema,
  network: networkSchema,
  partitionSets: partitionSetsSchema.max(MOST_SETS, `must name at most ${MOST_SETS} partition sets`),
  acceptedPublications: acceptedPublicationsSchema,
  glueDatabase: glueDatabaseSchema,
  archive: archiveSchema.prefault({}),
  concurrency: concurrencySchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
  drill: drillSchema
    .optional()
    .describe(
      'Restore drills: a random archive is restored out of sight, proven, and dropped. Default: not scheduled.',
    ),
  architecture: z
    .enum(['arm64', 'x86_64'], 'must be arm64 or x86_64')
    .default('arm64')
    .describe('Processor of the Lambda functions.'),
  logRetentionDays: z
    .literal(
      [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
      ],
      {
        error: 'must be a number of days that CloudWatch Logs knows, such as 30, 90 or 365',
      },
    )
    .default(90),
  alarms: alarmsSchema.prefault({}),
  notificationEmails: z
    .array(z.email('must be an email address'))
    .refine((emails) => new Set(emails).size === emails.length, 'must not name an address twice')
    .default([])
    .describe('E-mail addresses that alarms are sent to. Each must confirm once.'),
  tags: tagsSchema,
});

const deploymentSchema = deploymentFields
  .superRefine(problemsBy(placeProblems), validatedWith('env', 'database', 'archive', 'alarms'))
  .superRefine(
    ({ database: { proxy }, network: { privateSubnetIds: subnets } }, context) => {
      if (proxy !== undefined || subnets.length > 1) return;
      const message =
        'must name at least two subnets, since a new RDS Proxy needs two availability zones; one is enough with an existing proxy or "proxy": false';
      context.addIssue({ code: 'custom', path: ['network', 'privateSubnetIds'], message });
    },
    validatedWith('database', 'network'),
  )
  .superRefine(
    ({ schedule, alarms, drill }, context) => {
      const starts = [
        ['missedRunDays', [schedule.archive, schedule.inventory, schedule.drop]],
        ['missedArchiveRunDays', [schedule.archive]],
        ['missedDrillDays', [drill?.schedule]],
        ['missedAuditDays', [schedule.audit]],
      ] as const;
      for (const [name, schedules] of starts) {
        const pause = Math.min(...schedules.map((each) => (each === undefined ? 0 : longestPauseDays(each))));
        // The heartbeat looks once a day.
        if (pause < alarms[name]) continue;
        const message = `must be at least ${Math.floor(pause) + 1}: with this schedule ${Math.ceil(pause)} days may pass without an execution`;
        context.addIssue({ code: 'custom', path: ['alarms', name], message });
      }
    },
    validatedWith('schedule', 'alarms', 'drill'),
  )
  .superRefine(
    ({ archive: { expiry }, partitionSets }, context) => {
      const longest = Math.max(...partitionSets.map(({ graceDays }) => graceDays));
      if (expiry === undefined || expiry.days > longest + DAYS_KEPT_AFTER_DROP) return;
      const message = `must be more than the longest graceDays (${longest}) and ${DAYS_KEPT_AFTER_DROP} days to notice what is missing`;
      context.addIssue({ code: 'custom', path: ['archive', 'expiry', 'days'], message });
    },
    validatedWith('archive', 'partitionSets'),
  )
  .superRefine(
    ({ archive: { tiers }, partitionSets, schedule }, context) => {
      if (!partitionSets.some(({ query }) => query)) return;
      const least = leastTierDays(schedule.convert);
      for (const tier of ['glacierFlexibleRetrievalDays', 'glacierDeepArchiveDays'] as const) {
        const days = tiers[tier];
        if (days === undefined || days >= least) continue;
        const message = `must be at least ${least}: Parquet copies are made of text that can be read at once, and ${DAYS_TO_CONVERT} days are left to notice that one is missing`;
        context.addIssue({ code: 'custom', path: ['archive', 'tiers', tier], message });
      }
    },
    validatedWith('archive', 'partitionSets', 'schedule'),
  )
  .superRefine(
    ({ archive: { expiry }, glueDatabase, schedule }, context) => {
      const pause = Math.ceil(longestPauseDays(schedule.convert));
      if (expiry === undefined || glueDatabase === undefined || pause <= DAYS_BEFORE_EXPIRY) return;
      const message = `must start Convert every ${DAYS_BEFORE_EXPIRY} days or more often: so long before they expire, it withdraws archives from Glue`;
      context.addIssue({ code: 'custom', path: ['schedule', 'convert'], message });
    },
    validatedWith('archive', 'glueDatabase', 'schedule'),
  )
  .superRefine(
    ({ glueDatabase, partitionSets }, context) => {
      if (glueDatabase === undefined) return;
      const seen = new Map<string, number>();
      if (!partitionSets.some(({ query }) => query)) {
        const message = 'no partition set has "query": true';
        context.addIssue({ code: 'custom', path: ['glueDatabase'], message });
      }
      partitionSets.forEach(({ schema, table, query }, index) => {
        if (!query) return;
        const name = catalogName(schema, table);
        const first = seen.get(name);
        seen.set(name, first ?? index);
        if (first === undefined) return;
        const message = `is called ${name} in Glue, as partitionSets[${first}]: names there are in lower case, and of letters, digits and underscores`;
        context.addIssue({ code: 'custom', path: ['partitionSets', index, 'table'], message });
      });
    },
    validatedWith('glueDatabase', 'partitionSets'),
  );

/** Configuration of a deployment, defaults filled in. */
export type DeploymentConfig = Readonly<z.output<typeof deploymentSchema>>;

/** Checks the contents of a deployment file. */
export function parseDeploymentConfig(input: unknown): Parsed<DeploymentConfig> {
  return parseConfig(deploymentSchema, input);
}

/** JSON schema of the deployment file, by which editors complete and check it. */
export function deploymentJsonSchema(): object {
  return z.toJSONSchema(deploymentSchema, { io: 'input' });
}
