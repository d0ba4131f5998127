import { partitionTableDatabase } from '../../adapters/postgres/partition-table/database.ts';
import type { Connection } from '../../adapters/postgres/connect.ts';
import { inspectDatabase } from '../../adapters/postgres/setup/inspect.ts';
import { dropReplacedTable, partitionTable } from '../../core/partition-table/local.ts';
import type { PartitionTablePlan } from '../../core/partition-table/database.ts';
import { inspect } from '../../core/setup/inspect.ts';
import { showInspection } from '../../core/setup/inspect-chart.ts';
import { silentLog as log } from '../../core/ports.ts';
import { quoteIdentifier } from '../../adapters/postgres/quote.ts';
import { asAdministrator } from './administrator.ts';
import { hurriedClock, type Archiver } from './archiver.ts';
import { prepared } from './prepare.ts';
import { changes, tableFacts, type Changes } from './table-facts.ts';

/** One table of a schema, and how an operator has it partitioned. */
export interface WalkedTable {
  readonly schema: string;
  readonly table: string;
  readonly plan: Omit<PartitionTablePlan, 'schema' | 'table' | 'premake' | 'timeZone' | 'defaultPartition'>;
}

/** A schema, and what its operator does beside the archiver's commands. */
export interface Walk {
  readonly archiver: Archiver;
  /** Connects as an administrator. */
  readonly open: () => Connection;
  readonly tables: readonly WalkedTable[];
  /** What partition-table asks for before it begins, and what belongs to the new tables afterwards. */
  readonly beforehand?: string;
  readonly afterwards?: string;
  readonly acceptedPublications?: readonly string[];
  /** Called after each stage, for what has to continue meanwhile. */
  readonly meanwhile?: (stage: string) => Promise<void>;
}

/** An archiver on the run's stack, and how its administrator connects. */
export function onStack(archiver: Archiver): Pick<Walk, 'archiver' | 'open'> {
  return { archiver, open: () => asAdministrator(archiver.database.name) };
}

/** For what stays as it was. */
export const SAME: Changes = { gone: [], new: [] };

/** What `keys: 'extend'` changes: the primary key has the control column. `table` as SQL has it. */
export function extended(table: string, key: string, control: string): Changes {
  const name = table.replace(/^.*\.("?)(.*?)("?)$/, '$1$2_pkey$3');
  const facts = (columns: string): string[] => [
    `constraint ${name}: PRIMARY KEY (${columns})`,
    `index ${name}: CREATE UNIQUE INDEX ${name} ON ${table} USING btree (${columns})`,
  ];
  return { gone: facts(key), new: facts(`${key}, ${control}`) };
}

/** What came of it, table by table (`schema.table`). */
export interface Walked {
  /** The last line but one of `inspect`: the command that it proposes. */
  readonly proposed: Readonly<Record<string, string>>;
  /** What is different after the swap; of the rows, since what was done beforehand. */
  readonly swapped: Readonly<Record<string, Changes>>;
  /** The statements that prepare asked for. */
  readonly asked: readonly string[];
  /** What the run changed, besides the rows that it archived. */
  readonly archived: Readonly<Record<string, Changes>>;
  readonly dropped: number;
  /** What differs between the set, or one of its partitions, and what it was before it was archived. */
  readonly back: Readonly<Record<string, Changes>>;
}

const named = <Value>(
  tables: readonly WalkedTable[],
  values: readonly Value[],
): Readonly<Record<string, Value>> =>
  Object.fromEntries(tables.map(({ schema, table }, index) => [`${schema}.${table}`, values[index]!]));

const withoutRows = (facts: readonly string[][]): string[][] =>
  facts.map((each) => each.filter((fact) => !fact.startsWith('rows: ')));

const quoted = ({ schema, table }: { schema: string; table: string }): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

/**
 * Takes tables the whole way: inspect, partition-table, prepare, a run that exports, proves and drops, restore, attach.
 * Compares at each stage with what was before.
 */
export async function walk(options: Walk): Promise<Walked> {
  const { archiver, tables, beforehand = '', afterwards = '', meanwhile = () => Promise.resolve() } = options;
  const { sql } = archiver.database;
  const facts = (): Promise<string[][]> => Promise.all(tables.map((table) => tableFacts(sql, quoted(table))));
  const compared = (before: string[][], after: string[][]): Readonly<Record<string, Changes>> =>
    named(
      tables,
      before.map((each, index) => changes(each, after[index]!)),
    );

  const plain = await facts();
  const proposed = named(tables, await proposals(options));
  await sql.unsafe(beforehand);
  // Columns that are added there are in the rows from then on.
  const ready = await facts();
  await meanwhile('beforehand');
  for (const table of tables) {
    await partition(options, table);
    await meanwhile(`partition-table ${table.table}`);
  }
  await sql.unsafe(afterwards);
  const set = await facts();
  await meanwhile('afterwards');

  const asked = await prepareAll(options);
  const { dropped, partitions } = await archive(options);
  await meanwhile('archived');
  const left = await facts();
  await restoreAll(options);
  await meanwhile('restored');
  const back = compared(set, await facts());
  const differing = [...partitions].map(async ([name, before]) => {
    return [name, changes(before, await tableFacts(sql, name))] as const;
  });
  const ofPartitions = (await Promise.all(differing)).filter(
    ([, each]) => each.gone.length + each.new.length > 0,
  );
  return {
    proposed,
    swapped: compared(
      withoutRows(plain).map((each, index) => [...each, ready[index]!.at(-1)!]),
      set,
    ),
    asked,
    archived: compared(withoutRows(set), withoutRows(left)),
    dropped,
    back: { ...back, ...Object.fromEntries(ofPartitions) },
  };
}

async function proposals({ open, tables }: Walk): Promise<string[]> {
  const connection = open();
  try {
    const database = inspectDatabase(connection);
    return await Promise.all(
      tables.map(async ({ schema, table }) => {
        const lines = [
          ...showInspection(await inspect({ schema, table }, { database, clock: hurriedClock })),
        ];
        return lines.find((line) => line.includes(' partition-table '))?.trim() ?? 'nothing';
      }),
    );
  } finally {
    await connection.end();
  }
}

/** By the command, and without the table that was replaced. */
async function partition({ open }: Walk, { schema, table, plan }: WalkedTable): Promise<void> {
  const connection = open();
  try {
    const ports = { database: partitionTableDatabase(connection, open), clock: hurriedClock, log };
    await partitionTable(
      { premake: 2, timeZone: 'UTC', defaultPartition: true, ...plan, schema, table },
      ports,
    );
    await dropReplacedTable({ schema, table }, ports);
  } finally {
    await connection.end();
  }
}

/** Runs the statements that `prepare` asks for, and prepares again; returns the statements. */
async function prepareAll({ archiver, open, tables, acceptedPublications }: Walk): Promise<string[]> {
  const connection = open();
  try {
    const names = tables.map(({ schema, table }) => `${schema}.${table}`);
    const first = await prepared(connection, names, { acceptedPublications });
    const asked = first.problems.map(({ remedy }) => remedy);
    for (const remedy of asked) await archiver.database.sql.unsafe(remedy);
    const { problems } = await prepared(connection, names, { acceptedPublications });
    if (problems.length > 0) throw new Error(`prepare: ${JSON.stringify(problems)}`);
    return asked;
  } finally {
    await connection.end();
  }
}

/** A run; returns how many partitions it dropped, and what all partitions were before. */
async function archive({
  archiver,
  tables,
  acceptedPublications,
}: Walk): Promise<{ dropped: number; partitions: Map<string, string[]> }> {
  const { sql } = archiver.database;
  const partitions = new Map<string, string[]>();
  for (const table of tables) {
    const found = await sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name from pg_inherits
        join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = c.relnamespace
       where inhparent = ${quoted(table)}::regclass`;
    for (const { name } of found) partitions.set(name, await tableFacts(sql, name));
  }
  const config = archiver.config(
    tables.map(({ schema, table }) => ({ schema, table, drop: true, graceDays: 0 })),
  );
  const { dropped } = await archiver.run({
    ...config,
    acceptedPublications: [...(acceptedPublications ?? [])],
  });
  return { dropped, partitions };
}

/** Every archive of the tables, attached again. Its retention is longer now, or the next run would only detach it. */
async function restoreAll({ archiver, tables, acceptedPublications = [] }: Walk): Promise<void> {
  const { database, operations } = archiver;
  for (const { schema, table } of tables) {
    await database.sql`update partman.part_config set retention = '99 years' where parent_table = ${`${schema}.${table}`}`;
    const { archives } = await operations().find({ schema, table });
    for (const { manifestKey } of archives) {
      const restored = await operations().restore({
        manifestKey,
        attach: 'parent',
        acceptedPublications: [...acceptedPublications],
      });
      const { warnings, unmade } = restored;
      if (warnings.length + unmade.length > 0) throw new Error(JSON.stringify({ warnings, unmade }));
    }
  }
}
