import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { counted } from '../../../core/counted.ts';
import { duckDbEngine } from '../../../adapters/duckdb/engine.ts';
import { copyCache } from '../../../adapters/s3/copy-cache.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { auroraStatements } from '../../../core/query/aurora.ts';
import type { ArchiveChoice } from '../../../core/query/chosen-archives.ts';
import { prepareQuery } from '../../../core/query/query.ts';
import { parseTableName } from '../../../core/table-name.ts';
import { word, type Command, type CommandContext } from '../command.ts';
import { copiesFolder, temporaryFolder } from '../local-folder.ts';
import { storeOf } from '../operator.ts';
import { printCsv, printJson, printTable, untilUnread } from './result.ts';

const DEFAULT_MEMORY_MIB = 1024;
const DEFAULT_DISK_MIB = 20 * 1024;

function choiceOf(options: CommandContext['options']): ArchiveChoice {
  const { database, from, to, set, latest, 'former-name': formerNames } = options;
  return {
    latest: latest === true,
    ...(database !== undefined && { database }),
    ...(formerNames !== undefined && { formerNames }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(set !== undefined && { sets: set.map(parseTableName) }),
  };
}

async function printAurora(context: CommandContext): Promise<void> {
  const { region, options, args } = context;
  const choice = choiceOf(options);
  const [set, ...others] = choice.sets ?? [];
  if (set === undefined || others.length > 0 || args.length > 0) {
    throw new ArchiverError('InvalidInput', '--print-aurora takes one --set, and no statement');
  }
  process.stdout.write(await auroraStatements(set, choice, region, storeOf(context)));
}

/** Asks archives in SQL. */
export const QUERY: Command = {
  arguments: '[select]',
  does: 'runs a statement that only reads over the Parquet copies; each partition set is a view; fetches and keeps the periods that the statement needs',
  options: [
    'set',
    'from',
    'to',
    'database',
    'former-name',
    'latest',
    'csv',
    'parquet',
    'print-aurora',
    'directory',
    'memory-mib',
    'disk-mib',
  ],
  combinations: {
    exclusive: [
      ['csv', 'json'],
      ['csv', 'parquet'],
      ['print-aurora', 'csv'],
      ['print-aurora', 'json'],
      ['print-aurora', 'parquet'],
    ],
  },
  examples: [
    "query 'select origin, avg(delay) from flights group by 1' --from 2021-01",
    "query 'select * from flights' --set public.flights --parquet flights.parquet",
    'query --print-aurora --set public.flights > flights.sql',
  ],
  needs: { bucket: true },
  takesLong: true,
  execute: async (context) => {
    const { options, log, show, width } = context;
    const { csv, json } = options;
    if (options['print-aurora'] === true) {
      await printAurora(context);
      return;
    }
    const sql = word(context, 0);
    if (sql === '') throw new ArchiverError('InvalidInput', 'a statement is missing');
    const memoryMiB = Number(options['memory-mib'] ?? DEFAULT_MEMORY_MIB);
    const diskMiB = Number(options['disk-mib'] ?? DEFAULT_DISK_MIB);
    const directory = copiesFolder(options.directory);
    // Two engines must not share one: their files have the same names.
    const temporary = temporaryFolder(options.directory);
    const output = options.parquet === undefined ? undefined : resolve(options.parquet);
    const engine = await duckDbEngine({
      directory,
      temporary,
      memoryMiB,
      temporaryMiB: diskMiB,
      threads: 2,
      output,
    });
    try {
      const store = storeOf(context);
      const { archives, pruned, bytes } = await prepareQuery(
        { sql, ...choiceOf(options) },
        { store, cache: copyCache(directory, store, { mostMiB: diskMiB }), engine, log },
      );
      log.info('query', { archives, pruned, bytes });
      if (output !== undefined) {
        const rows = await engine.writeParquet(sql);
        show({ rows, file: output }, (say) => {
          say(`${counted(rows, 'row')}, ${output}`);
        });
        return;
      }
      const result = untilUnread(await engine.run(sql), process.stdout);
      const write = (text: string): void => {
        process.stdout.write(text);
      };
      const print = csv === true ? printCsv : json === true ? printJson : printTable;
      const rows = await print(result, write, width);
      if (csv !== true && json !== true) write(`(${counted(rows, 'row')})\n`);
    } finally {
      engine.close();
      rmSync(temporary, { recursive: true, force: true });
    }
  },
};
