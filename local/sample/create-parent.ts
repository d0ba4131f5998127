import type postgres from 'postgres';

/** What of `create_parent` the sample, the benchmarks and the tests use, in the words of pg_partman 4. */
export interface CreateParent {
  /** As pg_partman keeps it: `schema.table`, without quotes. */
  readonly parent: string;
  readonly control: string;
  /** `daily`, `monthly`, `1000` … */
  readonly interval: string;
  readonly premake: number;
  readonly epoch?: string;
  readonly start: string;
}

/** Version 5 knows intervals by no names. */
const INTERVALS: Readonly<Record<string, string>> = {
  hourly: '1 hour',
  daily: '1 day',
  weekly: '1 week',
  monthly: '1 month',
  quarterly: '3 months',
  yearly: '1 year',
};

/** Calls pg_partman's `create_parent` in the way of the installed version. */
export async function createParent(sql: postgres.ISql, set: CreateParent): Promise<void> {
  const { parent, control, interval, premake, epoch = 'none', start } = set;
  if ((await partmanMajor(sql)) < 5) {
    await sql`
      select partman.create_parent(${parent}, ${control}, 'native', ${interval}, p_premake => ${premake}::integer,
        p_epoch => ${epoch}, p_start_partition => ${start})`;
  } else {
    await sql`
      select partman.create_parent(${parent}, ${control}, ${INTERVALS[interval] ?? interval}, 'range',
        p_premake => ${premake}::integer, p_epoch => ${epoch}, p_start_partition => ${start})`;
  }
}

/** The major version of pg_partman in a database. */
export async function partmanMajor(sql: postgres.ISql): Promise<number> {
  const [extension] = await sql<{ major: number }[]>`
    select split_part(extversion, '.', 1)::integer as major from pg_extension where extname = 'pg_partman'`;
  return extension?.major ?? 0;
}
