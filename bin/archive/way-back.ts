import { ArchiverError } from '../../core/errors.ts';
import { parseMoveInRequest } from '../../core/move-in.ts';
import type { ReleaseTo } from '../../core/release.ts';
import type { ArchiveQuery } from '../../core/find.ts';
import { overlapLine } from '../../core/find/report.ts';
import { parseTableName } from '../../core/table-name.ts';
import { number, word, type Command, type CommandContext, type CommandOptions } from './command.ts';
import { localOperations, type Operations } from './operations.ts';
import { presentRestore } from './present.ts';

const operations = (context: CommandContext): Operations =>
  localOperations({
    ...context,
    expiry: context.config.expiry,
    segmentsAtOnce: context.config.concurrency.segments,
    archivesAtOnce: context.config.concurrency.partitions,
  });

/** The input of the workflow *Restore* that the command line stands for. */
function restoreInput(context: CommandContext): Record<string, unknown> {
  const { schema, table, owner, from, to, database, set, ...options } = context.options;
  const given = {
    ...{ schema, table, owner, from, to, database, partitionSet: set?.[0] },
    manifestKey: context.args[0],
    manifestVersionId: options['manifest-version'],
    attach: options.attach === true ? 'parent' : options['attach-to'],
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    foreignKeys: options['no-foreign-keys'] !== true,
    grants: options['no-grants'] !== true,
    ...(options['accept-incomplete'] === true && { acceptIncomplete: true }),
    ...retrieval(context),
  };
}

/** What is no number goes on as it is, so that the error shows it. */
const asNumber = (text: string): number | string => (Number.isNaN(Number(text)) ? text : Number(text));

/** How S3 is asked for what lies in a Glacier tier, where the command line says so. */
function retrieval({ options: { tier, days } }: CommandContext): Record<string, unknown> {
  if (tier === undefined && days === undefined) return {};
  return {
    retrieval: { ...(tier !== undefined && { tier }), ...(days !== undefined && { days: asNumber(days) }) },
  };
}

const queryOf = ({ set, from, to, database }: CommandOptions): ArchiveQuery => ({
  ...(database !== undefined && { database }),
  ...(set?.[0] !== undefined && parseTableName(set[0])),
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
});

function sampleSize(text: string | undefined, option: string): number | undefined {
  const size = Number(text);
  if (text === undefined || (Number.isInteger(size) && size > 0)) return text === undefined ? text : size;
  throw new ArchiverError(
    'InvalidInput',
    `${option}: ${JSON.stringify(text)} must be a whole number above 0`,
  );
}

/** Archives without a database, and the way from an archive back to a table. */
export const WAY_BACK: Readonly<Record<string, Command>> = {
  find: {
    usage: 'find [--set <schema.table>] [--from <date>] [--to <date>] [--database <name>]',
    does: 'lists the archives of a table and a range of time, from the bucket alone',
    takes: 0,
    needs: { bucket: true },
    execute: async (context) => {
      const { options, say } = context;
      const { archives, overlapping, unreadable } = await operations(context).find(queryOf(options));
      for (const { manifestKey, rows, bytes } of archives) {
        say(`${manifestKey}  ${String(rows)} rows, ${String(bytes)} bytes`);
      }
      if (archives.length + unreadable.length === 0) say('there is no archive of this table and range');
      for (const group of overlapping) say(`more than one of a period: ${overlapLine(group)}`);
      for (const { manifestKey, problem } of unreadable) say(`${manifestKey}  NOT READABLE: ${problem}`);
      if (unreadable.length > 0) {
        throw new ArchiverError('ManifestInvalid', `${String(unreadable.length)} manifests cannot be read`);
      }
    },
  },
  audit: {
    usage: 'audit <manifest key> [--sample <segments>]',
    does: 'reads an archive back and compares it with its manifest, without a database',
    takes: 1,
    needs: { bucket: true },
    execute: async (context) => {
      const { sample } = context.options;
      const segments = sampleSize(sample, '--sample');
      const verdict = await operations(context).audit(
        word(context, 0),
        segments === undefined ? 'all' : { segments, random: Math.random },
      );
      context.say(JSON.stringify(verdict, null, 2));
      if (!verdict.intact) {
        throw new ArchiverError('ArchiveDamaged', `${word(context, 0)} is not what its manifest says`);
      }
    },
  },
  'audit-all': {
    usage:
      'audit-all [--set <schema.table>] [--from <date>] [--to <date>] [--database <name>] [--archives <number>] [--sample <segments>]',
    does: 'audits the archives of a table and a range, or so many of them at random; knows the expiry of the --config file, if there is one',
    takes: 0,
    needs: { config: 'if there', bucket: true },
    execute: async (context) => {
      const { options, say } = context;
      const report = await operations(context).auditMany(
        {
          query: queryOf(options),
          archives: sampleSize(options.archives, '--archives') ?? null,
          segments: sampleSize(options.sample, '--sample') ?? null,
        },
        say,
      );
      say(report.summary);
    },
  },
  restore: {
    usage: `restore [<manifest key> [--manifest-version <id>]] [--set <schema.table> --from <date> --to <date> [--database <name>]]
      [--schema <name>] [--table <name>] [--owner <role>] [--attach | --attach-to <schema.table>] [--accept-incomplete]
      [--no-foreign-keys] [--no-grants]
      [--tier Bulk|Standard|Expedited] [--days <number>]`,
    does: 'makes a table again from its archive, or each of a range, and proves it; --attach makes it a partition of its parent again',
    takes: 1,
    optional: 1,
    needs: { logins: ['archiver_restore'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const input = restoreInput(context);
      const restoring = operations(context);
      const { database, say } = context;
      if (input['manifestKey'] === undefined)
        presentRestore(await restoring.restoreAll(input, database), say);
      else say(JSON.stringify(await restoring.restore(input), null, 2));
    },
  },
  drill: {
    usage:
      'drill [--max-mib <number>] [--tier Bulk|Standard|Expedited] [--days <number>] [--database <name>]',
    does: 'restores a random archive out of sight, proves it, and drops it again',
    takes: 0,
    needs: { logins: ['archiver_restore'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const { options, say, database } = context;
      const maxMiB = options['max-mib'];
      const input = { ...(maxMiB !== undefined && { maxMiB: asNumber(maxMiB) }), ...retrieval(context) };
      const drilled = await operations(context).drill(input, options.database ?? database);
      say(drilled === null ? 'there is no archive yet' : JSON.stringify(drilled, null, 2));
    },
  },
  'abandon-restore': {
    usage: 'abandon-restore <number>',
    does: 'gives an interrupted restore up, by its number in partition_archiver.restore',
    takes: 1,
    needs: { logins: ['archiver_restore'], bucket: true },
    execute: async (context) => {
      await operations(context).abandonRestore(number(context, 0));
    },
  },
  release: {
    usage: 'release <id> [--to cycle|owner]',
    does: 'hands a restored or blocked partition back to the cycle, or a quarantined one to its owner',
    takes: 1,
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { to } = context.options;
      if (to !== undefined && to !== 'cycle' && to !== 'owner') {
        throw new ArchiverError('InvalidInput', `--to: ${JSON.stringify(to)} must be cycle or owner`);
      }
      const receiver: ReleaseTo | undefined = to;
      context.say(JSON.stringify(await operations(context).release(number(context, 0), receiver), null, 2));
    },
  },
  'move-in': {
    usage: 'move-in <system identifier> [--database <name that it had>] [--leave]',
    does: 'after a major upgrade or a rename: makes the rows of the ledger rows of what the database is now; --leave leaves those of copied tables behind',
    takes: 1,
    needs: { logins: ['archiver_maintain'] },
    execute: async (context) => {
      const { options, say } = context;
      const { database, leave } = options;
      const request = parseMoveInRequest({ from: word(context, 0), database, leave });
      const { summary, partitions, notShown, then } = await operations(context).moveIn(request);
      say(summary);
      for (const { id, partition, was, state, remark } of partitions) {
        say(`  ${String(id)}  ${partition}: ${was === state ? was : `${was}, now ${state}`}; ${remark}`);
      }
      if (notShown > 0) say(`  and ${String(notShown)} more: npm run archive -- status`);
      say(then);
    },
  },
  reverify: {
    usage: 'reverify <id> | all',
    does: 'proves a verified partition, or all, anew against their archives, with a new fence: after a major upgrade, or a doubt',
    takes: 1,
    needs: { logins: ['archiver_maintain', 'archiver_read'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const verbs = operations(context);
      if (word(context, 0) !== 'all') {
        context.say(JSON.stringify(await verbs.reverify(number(context, 0)), null, 2));
        return;
      }
      let failed = 0;
      for (const partition of await verbs.reverifiable()) {
        try {
          const { segments, rows } = await verbs.reverify(partition);
          context.say(`${String(partition)}  verified: ${String(segments)} segments, ${String(rows)} rows`);
        } catch (error) {
          if (!(error instanceof ArchiverError)) throw error;
          failed += 1;
          context.say(`${String(partition)}  ${error.code}: ${error.message}`);
        }
      }
      if (failed > 0) throw new ArchiverError('PartitionsFailed', `${String(failed)} were not verified anew`);
    },
  },
};
