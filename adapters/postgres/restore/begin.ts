import { ArchiverError } from '../../../core/errors.ts';
import { timeZoneOf, type Manifest } from '../../../core/manifest.ts';
import { displayName } from '../../../core/partition.ts';
import { PINS } from '../../../core/pins.ts';
import type {
  BegunRestore,
  DoneRestore,
  Lack,
  MissingDependency,
  RestoreDatabase,
  RestoreIdentity,
  RestoreStart,
  TableName,
} from '../../../core/restore/database.ts';
import type { ColumnFacts } from '../../../core/restore/bare-table.ts';
import { renamed } from '../../../core/restore/moved.ts';
import { splitStructure } from '../../../core/restore/statements.ts';
import { translated, type Connection, type Transaction } from '../connect.ts';
import { publications } from '../publications.ts';
import { set, WORK_SCHEMA, type Sessions } from './sessions.ts';

/** What `partition_archiver.begin_restore` returns. */
type Begun =
  | { readonly state: 'done'; readonly partitionId: number }
  | {
      readonly state: 'begun' | 'proven';
      readonly id: number;
      readonly table: string;
      readonly made: boolean;
      readonly open: readonly number[];
    };

/** Under what archived DDL has to be run, besides the pins. */
const DDL_SETTINGS = {
  default_tablespace: '',
  standard_conforming_strings: 'on',
  check_function_bodies: 'off',
} as const;

/** What comes before the data of a restore. */
export function beginOn({
  using,
  transaction,
}: Sessions): Pick<RestoreDatabase, 'missing' | 'publications' | 'render' | 'find' | 'begin'> {
  return {
    find: (restore) =>
      using((connection) =>
        translated('looking for the restore', async () => {
          const [row] = await connection<[{ found: Pick<BegunRestore, 'open'> | DoneRestore | null }]>`
            select partition_archiver.find_restore(${connection.json(identity(restore))}::jsonb) as found`;
          return row.found;
        }),
      ),

    missing: (dependencies, target) =>
      using((connection) =>
        translated('checking dependencies', async () => ({
          dependencies: await connection<MissingDependency[]>`
            select kind, identity, problem, statement, prevents, name, moved_to as "movedTo"
              from partition_archiver.missing_dependencies(${connection.json(dependencies as never)}::jsonb)`,
          target:
            target === null
              ? []
              : await connection<Lack[]>`
                  select kind, identity, problem, statement
                    from partition_archiver.target_needs(${target.schema}::name, ${target.owner}::name)`,
        })),
      ),

    publications: (tables) =>
      using((connection) => translated('looking for publications', () => publications(connection, tables))),

    render: (manifest, target, sections) =>
      using((connection) =>
        translated('rendering the archived DDL', () => render(connection, manifest, target, sections)),
      ),

    begin: (start) => transaction('beginning the restore', (tx) => begin(tx, start)),
  };
}

async function render(
  connection: Connection | Transaction,
  manifest: Manifest,
  { schema, table }: TableName,
  sections: readonly string[] | 'all',
): Promise<string[]> {
  const wanted = sections === 'all' ? [] : [...sections];
  const [row] = await connection<[{ statements: string[] }]>`
    select to_jsonb(partition_archiver.render_restore(${connection.json(manifest.ddl.template as never)}::jsonb,
             ${schema}::name, ${table}::name,
             (select array_agg(s) from jsonb_array_elements_text(${connection.json(wanted)}::jsonb) s))) as statements`;
  return row.statements;
}

/** What the functions in the database know a restore by. */
const identity = ({
  manifest,
  manifestVersionId,
  manifestSha256,
  drill,
  target,
  owner,
}: RestoreIdentity) => ({
  archiveId: manifest.archiveId,
  manifestVersionId,
  manifestSha256,
  drill,
  schema: target.schema,
  table: target.table,
  owner,
});

async function begin(transaction: Transaction, start: RestoreStart): Promise<BegunRestore | DoneRestore> {
  const { manifest, target, drill, warnings, lastSections, manifestKey } = start;
  const row = {
    ...identity(start),
    manifestKey,
    warnings,
    partition: { ...manifest.partition, timeZone: timeZoneOf(manifest) },
    copy: manifest.copy,
    rows: manifest.contents.rows,
    bytes: manifest.contents.bytes,
    lineHashSum: manifest.contents.lineHashSum,
    lastStatements: drill !== null ? [] : await render(transaction, manifest, target, lastSections),
    invalidKeys: invalidKeys(manifest),
  };
  const segments = manifest.segments.map(({ number, rows, bytes, objects, compression = null }) => ({
    number,
    rows,
    keys: objects.map(({ key }) => key),
    compression,
    bytes,
  }));
  const [{ begun }] = await transaction<[{ begun: Begun }]>`
    select partition_archiver.begin_restore(${transaction.json(row)}::jsonb,
             ${transaction.json(segments)}::jsonb) as begun`;
  if (begun.state === 'done') return { partitionId: begun.partitionId };
  const { id, table, open } = begun;
  if (start.parent !== null) await checkAttach(transaction, start, start.parent);
  if (!begun.made) await makeTable(transaction, start, { id, table });
  return { restoreId: id, open };
}

/** In the transaction that makes the table: where it is refused, nothing was made, and what another call made stays. */
async function checkAttach(
  transaction: Transaction,
  { manifest, moved }: RestoreStart,
  { schema, table }: TableName,
): Promise<void> {
  const { partition, ddl } = manifest;
  const facts = (ddl.template['columns'] as ColumnFacts[]).map((column) => ({
    ...column,
    type: renamed(column.type, moved),
  }));
  const columns = transaction.json(facts);
  const [{ problems }] = await transaction<[{ problems: string[] }]>`
    select to_jsonb(partition_archiver.attach_problems(${schema}::name, ${table}::name,
             ${partition.controlColumn}::name, ${partition.lowerBound}::text, ${partition.upperBound}::text,
             ${columns}::jsonb, ${timeZoneOf(manifest)}::text)) as problems`;
  if (problems.length > 0) {
    throw new ArchiverError('AttachRefused', `${displayName(schema, table)}: ${problems.join('; ')}`);
  }
  if (schema !== partition.parentSchema || table !== partition.parentName) return;
  // Queries would find the rows of its own set twice.
  await transaction`select partition_archiver.assert_not_listed(${manifest.archiveId}::uuid)`;
}

async function makeTable(
  transaction: Transaction,
  { manifest, target, asText, unusable, moved }: RestoreStart,
  { id, table }: { readonly id: number; readonly table: string },
): Promise<void> {
  const sections = ['structure', 'sequence_values'];
  const columns = manifest.ddl.template['columns'] as ColumnFacts[];
  const statementsFor = async (name: TableName): Promise<ReturnType<typeof splitStructure>> => {
    const statements = await render(transaction, manifest, name, sections);
    const split = splitStructure(statements, columns, asText, unusable);
    const today = (list: readonly string[]): string[] => list.map((each) => renamed(each, moved));
    return { beforeData: today(split.beforeData), afterData: today(split.afterData) };
  };
  const { beforeData, afterData } = await statementsFor({ schema: WORK_SCHEMA, table });
  // The same statements for the target: what a person is told where one of them fails.
  const told = (await statementsFor(target)).afterData;
  await set(transaction, { ...PINS, ...DDL_SETTINGS });
  for (const statement of beforeData) await transaction.unsafe(statement, [], { simple: false } as never);
  const after = afterData.map((statement, index) => ({ statement, target: told[index] ?? statement }));
  await transaction`
    select partition_archiver.record_restore_table(${id}::bigint, ${transaction.json(after)}::jsonb)`;
}

/** Names of the foreign keys that were not valid when the table was archived. */
function invalidKeys(manifest: Manifest): string[] {
  const objects = manifest.ddl.template['objects'];
  if (!Array.isArray(objects)) return [];
  return (objects as { kind: string; name: string; detail: string }[])
    .filter(({ kind, detail }) => kind === 'foreign key' && detail.split(' ')[3] === 'f')
    .map(({ name }) => name);
}
