import { counted } from '../../../core/counted.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { ArchiveQuery } from '../../../core/audit/find.ts';
import { noArchiveOf } from '../../../core/audit/known-sets.ts';
import { overlapLine } from '../../../core/audit/find-report.ts';
import { parseDisplayName } from '../../../core/config/display-name.ts';
import { parseTableName } from '../../../core/table-name.ts';
import { number, word, type Command, type CommandContext, type CommandOptions } from '../command.ts';
import { presentRestore } from '../present.ts';
import { operations, showJson, storeOf } from '../operator.ts';
import { askArchive } from './ask-archive.ts';
import { auditWatcher, restoreWatcher } from '../terminal/watchers.ts';

/** `--table` is a name in `--schema`; without that, `schema.table` is both. */
function targetOf(schema: string | undefined, table: string | undefined): Record<string, string | undefined> {
  const both = schema === undefined && table !== undefined ? parseDisplayName(table) : null;
  return both === null ? { schema, table } : { schema: both.schema, table: both.table };
}

/** The input of the workflow *Restore* that the command line stands for. */
function restoreInput(context: CommandContext): Record<string, unknown> {
  const { schema, table, owner, from, to, database, set, ...options } = context.options;
  const given = {
    ...targetOf(schema, table),
    owner,
    from,
    to,
    database,
    partitionSet: set?.[0],
    manifestKey: context.args[0],
    manifestVersionId: options['manifest-version'],
    attach: options.attach === true ? 'parent' : options['attach-to'],
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    foreignKeys: options['no-foreign-keys'] !== true,
    grants: options['no-grants'] !== true,
    ...(options['accept-incomplete'] === true && { acceptIncomplete: true }),
    ...(options['accept-publication'] !== undefined && {
      acceptedPublications: options['accept-publication'].split(','),
    }),
    ...retrieval(context),
  };
}

/** How S3 is asked for what lies in a Glacier tier, where the command line has it. */
function retrieval({ options: { tier, days } }: CommandContext): Record<string, unknown> {
  if (tier === undefined && days === undefined) return {};
  return {
    retrieval: { ...(tier !== undefined && { tier }), ...(days !== undefined && { days: Number(days) }) },
  };
}

const queryOf = ({ set, from, to, database }: CommandOptions): ArchiveQuery => ({
  ...(database !== undefined && { database }),
  ...(set?.[0] !== undefined && parseTableName(set[0])),
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
});

const numberOr = <T>(text: string | undefined, otherwise: T): number | T =>
  text === undefined ? otherwise : Number(text);

/** Archives without a database, and the way from an archive back to a table. */
export const RESTORE_COMMANDS: Readonly<Record<string, Command>> = {
  find: {
    does: 'lists the archives of a table and a range of time, from the bucket alone',
    options: ['set', 'from', 'to', 'database'],
    combinations: { once: ['set'] },
    examples: ['find --set public.flights --from 2021-01 --to 2021-07'],
    needs: { bucket: true },
    execute: async (context) => {
      const query = queryOf(context.options);
      const report = await operations(context).find(query);
      const { archives, overlapping, unreadable } = report;
      const isEmpty = archives.length + unreadable.length === 0;
      const nothing = isEmpty ? await noArchiveOf(query, storeOf(context)) : undefined;
      context.show(report, (say) => {
        for (const { manifestKey, rows, bytes } of archives) {
          say(`${manifestKey}  ${counted(rows, 'row')}, ${counted(bytes, 'byte')}`);
        }
        if (nothing !== undefined) say(nothing);
        for (const group of overlapping) say(`more than one of a period: ${overlapLine(group)}`);
        for (const { manifestKey, problem } of unreadable) say(`${manifestKey}  NOT READABLE: ${problem}`);
      });
      if (unreadable.length > 0) {
        throw new ArchiverError(
          'ManifestInvalid',
          `${counted(unreadable.length, 'manifest')} cannot be read`,
        );
      }
    },
  },
  audit: {
    arguments: '<manifest-key>',
    does: 'reads an archive back and compares it with its manifest, without a database',
    options: ['sample'],
    examples: ['audit shop/public/flights/202101/manifest/d918d74f-c831-4d8e-b7be-3fda2239449c.json'],
    needs: { bucket: true },
    execute: async (context) => {
      context.progress.watch(auditWatcher);
      const { sample } = context.options;
      const segments = numberOr(sample, undefined);
      const verdict = await operations(context).audit(
        word(context, 0),
        segments === undefined ? 'all' : { segments, random: Math.random },
      );
      showJson(context, verdict);
      if (!verdict.intact) {
        throw new ArchiverError('ArchiveDamaged', `${word(context, 0)} is not what its manifest says`);
      }
    },
  },
  'audit-all': {
    does: 'audits the archives of a table and a range, or so many of them at random; knows the expiry of the --config file, if there is one',
    options: ['set', 'from', 'to', 'database', 'archives', 'sample'],
    combinations: { once: ['set'] },
    examples: ['audit-all --set public.flights --archives 12 --sample 1'],
    needs: { config: 'if there', bucket: true },
    execute: async (context) => {
      const { options, progress } = context;
      progress.watch(auditWatcher);
      const query = queryOf(options);
      const report = await operations(context).auditMany(
        {
          query,
          archives: numberOr(options.archives, null),
          segments: numberOr(options.sample, null),
        },
        (line) => {
          progress.clear();
          if (options.json !== true) process.stdout.write(`${line}\n`);
        },
      );
      // An audit of nothing must not pass for one without a finding.
      if (report.archives === 0 && Object.keys(query).length > 0)
        throw new ArchiverError('InvalidInput', await noArchiveOf(query, storeOf(context)));
      context.show(report, (say) => {
        say(report.summary);
      });
    },
  },
  restore: {
    arguments: '[manifest-key]',
    does: 'creates a table from its archive, or one for each archive of a range, and proves its contents',
    options: [
      'manifest-version',
      'set',
      'from',
      'to',
      'database',
      'schema',
      'table',
      'owner',
      'attach',
      'attach-to',
      'accept-incomplete',
      'accept-publication',
      'no-foreign-keys',
      'no-grants',
      'tier',
      'days',
    ],
    combinations: {
      exclusive: [['attach', 'attach-to']],
      withArgument: ['manifest-version'],
      withoutArgument: ['set', 'from', 'to'],
      once: ['set'],
    },
    examples: [
      'restore --set public.flights --from 2021-01 --to 2021-07 --schema scratch',
      'restore shop/public/flights/202101/manifest/d918d74f-c831-4d8e-b7be-3fda2239449c.json --attach',
    ],
    needs: { logins: ['archiver_restore'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const input = restoreInput(context);
      context.progress.watch(restoreWatcher());
      const restoring = operations(context);
      if (input['manifestKey'] !== undefined) {
        showJson(context, await restoring.restore(input));
        return;
      }
      const report = await restoring.restoreAll(input, context.database);
      context.show(report, (say) => {
        presentRestore(report, say);
      });
    },
  },
  drill: {
    does: 'restores a random archive out of sight, proves it, drops the table again, and counts its rows by SQL where it has a copy',
    options: ['max-mib', 'tier', 'days', 'database', 'directory'],
    examples: ['drill --max-mib 1024'],
    needs: { logins: ['archiver_restore'], bucket: true },
    takesLong: true,
    execute: async (context) => {
      const { options, database, log } = context;
      context.progress.watch(restoreWatcher());
      const maxMiB = options['max-mib'];
      const input = { ...(maxMiB !== undefined && { maxMiB: Number(maxMiB) }), ...retrieval(context) };
      const named = options.database ?? database;
      const drilled = await operations(context).drill(input, named);
      const store = storeOf(context);
      const result = drilled && {
        ...drilled,
        sql: await askArchive(drilled.manifestKey, { store, log, directory: options.directory }),
      };
      const nothing = result === null ? await noArchiveOf({ database: named }, store) : '';
      if (result === null && options.database !== undefined) throw new ArchiverError('InvalidInput', nothing);
      context.show(result, (say) => {
        say(result === null ? nothing : JSON.stringify(result, null, 2));
      });
    },
  },
  'cancel-restore': {
    arguments: '<number>',
    does: 'cancels an interrupted restore, by its number in partition_archiver.restore',
    options: [],
    examples: ['cancel-restore 3'],
    needs: { logins: ['archiver_restore'], bucket: true },
    execute: async (context) => {
      const id = number(context, 0);
      await operations(context).cancelRestore(id);
      context.show({ restoreId: id }, (say) => {
        say(`restore ${String(id)} is cancelled`);
      });
    },
  },
};
