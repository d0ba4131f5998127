import { counted } from '../../../core/counted.ts';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { partitionTableDatabase } from '../../../adapters/postgres/partition-table/database.ts';
import { readTableBytes } from '../../../adapters/postgres/partition-table/size.ts';
import { displayName } from '../../../core/partition.ts';
import {
  dropReplacedTable,
  partitionTable,
  rollBackPartitionTable,
} from '../../../core/partition-table/local.ts';
import type { PartialPlan, TableName } from '../../../core/partition-table/database.ts';
import type { PartitionTablePorts } from '../../../core/partition-table/steps.ts';
import { parseTableName } from '../../../core/table-name.ts';
import { using, word, type Command, type CommandContext } from '../command.ts';
import { partitionTableWatcher } from '../terminal/watchers.ts';

/** What was said of the plan; a job under way knows the rest. */
function planOf(context: CommandContext): PartialPlan {
  const { options } = context;
  const { control, interval, start, premake, retention, 'max-partitions': most } = options;
  return {
    ...parseTableName(word(context, 0)),
    control,
    interval,
    start,
    premake: premake === undefined ? undefined : Number(premake),
    keys: options.keys as PartialPlan['keys'],
    maxPartitions: most === undefined ? undefined : Number(most),
    trustFunctions: options['trust-functions'],
    retention: retention === 'none' ? null : retention,
    mode: options.offline === true ? 'offline' : undefined,
    defaultPartition: options['no-default'] === true ? false : undefined,
    epoch: options.epoch as PartialPlan['epoch'],
    timeZone: options['time-zone'],
  };
}

/** Compares so much at once, which is what is done again after an interruption; nothing here has to end in time. */
const LIMITS = {
  milliseconds: Number.MAX_SAFE_INTEGER,
  rangeBytes: 2 ** 30,
  largestScanBytes: Number.MAX_SAFE_INTEGER,
} as const;

/** Does `work` as an administrator, on the table that the command names. */
async function on<T>(
  context: CommandContext,
  work: (ports: PartitionTablePorts, table: TableName, connection: Connection) => Promise<T>,
): Promise<T> {
  const { open, clock, log } = context;
  const table = parseTableName(word(context, 0));
  return using(open('administrator'), (connection) => {
    const database = partitionTableDatabase(connection, () => open('administrator'));
    return work({ database, clock, log }, table, connection);
  });
}

/** How a plain table becomes a partition set, by command. */
export const PARTITION_TABLE: Readonly<Record<string, Command>> = {
  'partition-table': {
    arguments: '<schema.table>',
    does: 'makes a partition set out of a plain table while it is in use; resumes where it was stopped',
    options: [
      'control',
      'interval',
      'retention',
      'start',
      'premake',
      'keys',
      'epoch',
      'time-zone',
      'max-partitions',
      'trust-functions',
      'no-default',
      'offline',
      'up-to-check',
    ],
    examples: [
      "partition-table public.flights --control departed --interval '1 month' --retention '12 months'",
      "partition-table public.flights --control departed --interval '1 month' --retention none --up-to-check",
    ],
    needs: { logins: ['administrator'] },
    takesLong: true,
    execute: async (context) => {
      const plan = planOf(context);
      const upTo = context.options['up-to-check'] === true ? 'check' : 'swap';
      const report = await on(context, async (ports, table, connection) => {
        if (context.progress.isShown) {
          const bytes = await readTableBytes(connection, table);
          context.progress.watch(partitionTableWatcher(bytes, LIMITS.rangeBytes));
        }
        return partitionTable(plan, { ...ports, limits: LIMITS }, upTo);
      });
      const { state, rows, partitions } = report;
      const name = displayName(plan.schema, plan.table);
      context.show(report, (say) => {
        say(
          `${name}: ${counted(rows, 'row')} in ${counted(partitions.length, 'partition')}, the same as in the table`,
        );
        say(
          state === 'checked'
            ? 'nothing has changed places yet: run it again without --up-to-check, or partition-roll-back'
            : `${name} is partitioned now; the old table is kept until partition-drop-replaced. Add it to the partition sets and run prepare`,
        );
      });
    },
  },
  'partition-roll-back': {
    arguments: '<schema.table>',
    does: 'cancels a partition-table before the tables have changed places: the table is as it was',
    options: [],
    examples: ['partition-roll-back public.flights'],
    needs: { logins: ['administrator'] },
    execute: async (context) => {
      await on(context, (ports, table) => rollBackPartitionTable(table, ports));
      context.show({ state: 'rolled back' }, (say) => {
        say('rolled back');
      });
    },
  },
  'partition-drop-replaced': {
    arguments: '<schema.table>',
    does: 'drops the old table that partition-table has replaced',
    options: [],
    examples: ['partition-drop-replaced public.flights'],
    needs: { logins: ['administrator'] },
    execute: async (context) => {
      await on(context, (ports, table) => dropReplacedTable(table, ports));
      context.show({ state: 'dropped' }, (say) => {
        say('the table that was replaced is dropped');
      });
    },
  },
};
