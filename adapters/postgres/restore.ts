import { ArchiverError } from '../../core/errors.ts';
import type { Manifest } from '../../core/manifest.ts';
import { PINS } from '../../core/pins.ts';
import type {
  MissingDependency,
  RestoreDatabase,
  RestoreProgress,
  RestoreStart,
} from '../../core/restore/database.ts';
import { splitStructure } from '../../core/restore/statements.ts';
import { inTransaction, translated, type Connection, type Transaction } from './connect.ts';
import { copyOut } from './copy.ts';

/** What `partition_archiver.begin_restore` answers. */
type Begun =
  | { readonly state: 'done'; readonly partition: number }
  | {
      readonly state: 'begun' | 'proven';
      readonly id: number;
      readonly table: string;
      readonly made: boolean;
      readonly statementsDone: number;
      readonly open: readonly number[];
    };

/** Under what archived DDL has to be run, besides the pins. */
const DDL_SETTINGS = {
  default_tablespace: '',
  standard_conforming_strings: 'on',
  check_function_bodies: 'off',
} as const;

const WORK_SCHEMA = 'partition_archiver_restore';

/** How long one statement may take, and a connection of its own for each. */
export interface RestoreConnections {
  readonly open: () => Connection;
  /** Below the time that the caller has; RDS Proxy passes no cancel request on. */
  readonly timeoutMs: number;
}

/** `restore` on PostgreSQL, as `archiver_restore`: it runs archived DDL as itself and may do nothing elsewhere. */
export function restoreDatabase({ open, timeoutMs }: RestoreConnections): RestoreDatabase {
  /** A connection for one piece of work: imports run side by side, and one that streamed a COPY is not used again. */
  const using = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = open();
    try {
      return await work(connection);
    } finally {
      await connection.end({ timeout: 5 });
    }
  };
  const transaction = <T>(doing: string, work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    using((connection) =>
      inTransaction(connection, doing, async (tx) => {
        await set(tx, { statement_timeout: String(timeoutMs) });
        return work(tx);
      }),
    );

  return {
    missing: (dependencies) =>
      using((connection) =>
        translated(
          'checking dependencies',
          () => connection<MissingDependency[]>`
            select kind, identity, problem, statement
              from partition_archiver.missing_dependencies(${connection.json(dependencies as never)}::jsonb)`,
        ),
      ),

    render: (manifest, target, sections) =>
      using((connection) =>
        translated('rendering the archived DDL', () => render(connection, manifest, target, sections)),
      ),

    attachProblems: ({ partition, ddl }, parent) =>
      using((connection) =>
        translated('checking the parent', async () => {
          const columns = connection.json(ddl.template['columns'] as never);
          const [row] = await connection<[{ problems: string[] }]>`
            select to_jsonb(partition_archiver.attach_problems(${parent.schema}::name, ${parent.table}::name,
                     ${partition.controlColumn}::name, ${partition.lowerBound}::text, ${partition.upperBound}::text,
                     ${columns}::jsonb)) as problems`;
          return row.problems;
        }),
      ),

    begin: (start) => transaction('beginning the restore', (tx) => begin(tx, start)),

    importSegment: (restore, segment, { manifest, bucket, region }) =>
      transaction(`import of segment ${segment.number}`, async (tx) => {
        await set(tx, manifest.copy.pins);
        const [{ open: isOpen }] = await tx<[{ open: boolean }]>`
          select partition_archiver.begin_import(${restore.id}::bigint, ${segment.number}::integer) as open`;
        if (!isOpen) return;
        let rows = 0;
        for (const { key } of segment.objects) {
          rows += await importObject(tx, restore, manifest, { bucket, region, key });
        }
        await tx`select partition_archiver.record_import(${restore.id}::bigint, ${segment.number}::integer, ${rows}::bigint)`;
      }),

    runStatement: (restore, number, statement) =>
      transaction(`statement ${number} after the data (${firstWords(statement)})`, async (tx) => {
        await set(tx, { ...PINS, ...DDL_SETTINGS });
        await tx.unsafe(statement, [], { simple: false } as never);
        await tx`select partition_archiver.record_restore_statement(${restore.id}::bigint, ${number}::integer)`;
      }),

    readTable: (restore, { copy }, read) =>
      using((connection) => {
        const query = `select ${copy.columns} from only ${WORK_SCHEMA}.${restore.table}`;
        const statement = async (tx: Transaction): Promise<string> => {
          await set(tx, { ...copy.pins, statement_timeout: String(timeoutMs) });
          return `copy (${query}) to stdout with (${copy.options})`;
        };
        return copyOut(connection, 'reading the restored table', statement, read);
      }),

    recordProof: (restore, { rows, bytes, lineHashSum }) =>
      transaction('recording the proof', async (tx) => {
        await tx`select partition_archiver.record_restore_proof(${restore.id}::bigint, ${rows}::bigint, ${bytes}::bigint,
                   ${lineHashSum}::text)`;
      }),

    finish: (restore, statements, { partition }) =>
      transaction('bringing the restored table out', async (tx) => {
        const [row] = await tx<[{ result: { partition: number; warnings: string[] } }]>`
          select partition_archiver.finish_restore(${restore.id}::bigint, ${tx.json([...statements])}::jsonb,
                   ${tx.json(partition)}::jsonb) as result`;
        return row.result;
      }),

    unvalidatedForeignKeys: (partition) =>
      using((connection) =>
        translated('looking for foreign keys', async () => {
          const [row] = await connection<[{ names: string[] }]>`
            select to_jsonb(partition_archiver.unvalidated_foreign_keys(${partition}::bigint)) as names`;
          return row.names;
        }),
      ),

    validateForeignKey: (partition, constraint) =>
      transaction('validating it', async (tx) => {
        await tx`select partition_archiver.validate_restored(${partition}::bigint, ${constraint}::name)`;
      }),

    attach: (partition, parent) =>
      transaction('attaching the restored table', async (tx) => {
        await tx`select partition_archiver.attach_restored(${partition}::bigint, ${parent.schema}::name, ${parent.table}::name)`;
      }),

    abandon: (restore) =>
      transaction(`giving restore ${restore} up`, async (tx) => {
        await tx`select partition_archiver.abandon_restore(${restore}::bigint)`;
      }),
  };
}

async function set(transaction: Transaction, settings: Readonly<Record<string, string>>): Promise<void> {
  await transaction`
    select set_config(name, value, true)
      from jsonb_each_text(${transaction.json(settings)}::jsonb) as s (name, value)`;
}

async function render(
  connection: Connection | Transaction,
  manifest: Manifest,
  { schema, table }: { readonly schema: string; readonly table: string },
  sections: readonly string[] | 'all',
): Promise<string[]> {
  const wanted = sections === 'all' ? [] : [...sections];
  const [row] = await connection<[{ statements: string[] }]>`
    select to_jsonb(partition_archiver.render_restore(${connection.json(manifest.ddl.template as never)}::jsonb,
             ${schema}::name, ${table}::name,
             (select array_agg(s) from jsonb_array_elements_text(${connection.json(wanted)}::jsonb) s))) as statements`;
  return row.statements;
}

async function begin(
  transaction: Transaction,
  start: RestoreStart,
): Promise<RestoreProgress | { readonly partition: number }> {
  const { manifest, target } = start;
  const segments = manifest.segments.map(({ number, rows }) => ({ number, rows }));
  const [{ begun }] = await transaction<[{ begun: Begun }]>`
    select partition_archiver.begin_restore(${manifest.archiveId}::uuid, ${start.manifestKey}::text,
             ${start.manifestVersionId}::text, ${start.manifestSha256}::text, ${target.schema}::name, ${target.table}::name,
             ${start.owner}::name, ${transaction.json(segments)}::jsonb, ${manifest.contents.rows}::bigint,
             ${manifest.contents.bytes}::bigint, ${manifest.contents.lineHashSum}::text) as begun`;
  if (begun.state === 'done') return { partition: begun.partition };
  const { id, table, open, statementsDone } = begun;
  const statements = await render(transaction, manifest, { schema: WORK_SCHEMA, table }, [
    'structure',
    'sequence_values',
  ]);
  const { beforeData, afterData } = splitStructure(statements);
  if (!begun.made) {
    await set(transaction, { ...PINS, ...DDL_SETTINGS });
    for (const statement of beforeData) await transaction.unsafe(statement, [], { simple: false } as never);
    await transaction`select partition_archiver.record_restore_table(${id}::bigint)`;
  }
  return { id, table, open, afterData, statementsDone };
}

/** Imports one object and answers how many rows aws_s3 said it had: "N rows imported into relation …". */
async function importObject(
  transaction: Transaction,
  restore: RestoreProgress,
  { copy }: Manifest,
  { bucket, region, key }: { readonly bucket: string; readonly region: string; readonly key: string },
): Promise<number> {
  try {
    const [{ said }] = await transaction<[{ said: string }]>`
      select aws_s3.table_import_from_s3(${`${WORK_SCHEMA}.${restore.table}`}::text, ${copy.columns}::text, ${`(${copy.options})`}::text,
               aws_commons.create_s3_uri(${bucket}::text, ${key}::text, ${region}::text)) as said`;
    return Number.parseInt(said, 10);
  } catch (error) {
    throw ofImport(
      await translated(`import of ${key}`, () => Promise.reject(error as Error)).catch((e: unknown) => e),
    );
  }
}

/** aws_s3 raises the same SQLSTATEs for imports as for exports. */
function ofImport(error: unknown): unknown {
  if (!(error instanceof ArchiverError)) return error;
  if (error.code === 'ExportDenied') return new ArchiverError('ImportDenied', error.message);
  if (error.code === 'ExportFailed') return new ArchiverError('ImportFailed', error.message);
  return error;
}

/** What kind of statement it is, without the names in it. */
const firstWords = (statement: string): string =>
  /^[A-Z]+(?: (?:UNIQUE|CONSTRAINT))? [A-Z]+/.exec(statement)?.[0] ?? 'statement';
