/**
 * Applications that write into a partition while it is archived, each in its own way. A writer knows what it has
 * committed; refusals are counted by their SQLSTATE and change nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { Model } from './model.ts';

/** What a writer writes into. */
export interface Target {
  /** The cold partition by its name, quoted. */
  readonly partition: string;
  /** A moment within its bounds, as PostgreSQL prints it in UTC. */
  readonly ts: string;
}

/** One writer's means. */
export interface Writer {
  readonly sql: postgres.Sql;
  /** Where it is connected to. */
  readonly url: string;
  readonly target: Target;
  /** What is committed. */
  readonly model: Model;
  /** An id that nobody else uses. */
  newId(): string;
  random(): number;
}

/** A row as it stands in the archive. */
function lineOf(id: string, ts: string, customer: number | string, payload: string): string {
  return [id, ts, String(customer), payload].join('\t');
}

/** The customer that nobody touches. */
const CUSTOMER = 1;

/** One transaction of a writer: ends with what was committed in its model, or throws what it was refused with. */
export type Act = (writer: Writer) => Promise<void>;

type Statement = (tx: postgres.ISql, id: string, payload: string) => Promise<{ readonly count: number }>;

/** Inserts, now and then in a transaction that stays open; then updates and deletes some of its own rows. */
function plain(insert: Statement, update: Statement, remove: Statement): Act {
  return async ({ sql, target, model, newId, random }) => {
    const write = async (
      id: string,
      statement: Statement,
      payload: string,
      committed: () => void,
    ): Promise<void> => {
      if (random() < 0.3) {
        const { count } = (await sql.begin(async (tx) => {
          const done = await statement(tx, id, payload);
          await sleep(random() < 0.005 ? 300 : random() * 6);
          return done;
        })) as { count: number };
        if (count === 1) committed();
      } else if ((await statement(sql, id, payload)).count === 1) committed();
    };
    const id = newId();
    const put = (payload: string) => () => {
      model.put(lineOf(id, target.ts, CUSTOMER, payload));
    };
    await write(id, insert, 'new', put('new'));
    if (random() < 0.5) await write(id, update, 'changed', put('changed'));
    if (random() < 0.3) await write(id, remove, '', () => model.gone(id));
  };
}

const insertInto =
  (table: string, prepare: boolean, ts: string): Statement =>
  (tx, id, payload) =>
    tx.unsafe(
      `insert into ${table} (id, ts, customer_id, payload) values ($1::bigint, $2::timestamptz, ${String(CUSTOMER)}, $3)`,
      [id, ts, payload],
      { prepare },
    );
const updateIn =
  (table: string, prepare: boolean, ts: string): Statement =>
  (tx, id, payload) =>
    tx.unsafe(
      `update ${table} set payload = $3 where id = $1::bigint and ts = $2::timestamptz`,
      [id, ts, payload],
      {
        prepare,
      },
    );
const deleteFrom =
  (table: string, prepare: boolean, ts: string): Statement =>
  (tx, id) =>
    tx.unsafe(`delete from ${table} where id = $1::bigint and ts = $2::timestamptz`, [id, ts], { prepare });

/** By whatever name the rows can be reached. */
const through =
  (table: (target: Target) => string, prepare = false): Act =>
  (writer) => {
    const name = table(writer.target);
    const { ts } = writer.target;
    return plain(
      insertInto(name, prepare, ts),
      updateIn(name, prepare, ts),
      deleteFrom(name, prepare, ts),
    )(writer);
  };

/** As the apply worker of logical replication, which fires no ordinary triggers. */
const asReplica: Act = async (writer) => {
  await writer.sql`set session_replication_role = replica`;
  await through(({ partition }) => partition)(writer);
};

/** By psql: the driver's COPY in ends the whole process when its connection breaks (postgres 3.4.9). */
const byCopy: Act = async ({ url, target, model, newId }) => {
  const lines = [newId(), newId(), newId()].map((id) => lineOf(id, target.ts, CUSTOMER, 'copied'));
  const command = `copy ${target.partition} (id, ts, customer_id, payload) from stdin`;
  const psql = spawn('psql', ['-X', '-q', '-v', 'VERBOSITY=sqlstate', '-c', command, url], { stdio: 'pipe' });
  const ended = once(psql, 'close');
  // It is gone before it has read everything where the table is.
  psql.stdin.on('error', () => undefined);
  psql.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const errors = await text(psql.stderr);
  const [status] = (await ended) as [number];
  if (status !== 0)
    throw Object.assign(new Error(errors), { code: /ERROR: {2}(\w{5})/.exec(errors)?.[1] ?? errors });
  for (const line of lines) model.put(line);
};

const byMerge: Act = async ({ sql, target, model, newId, random }) => {
  const id = newId();
  for (const payload of random() < 0.5 ? ['merged'] : ['merged', 'merged again']) {
    await sql.unsafe(
      `merge into ${target.partition} t using (values ($1::bigint, $2::timestamptz, $3)) as s (id, ts, payload) on t.id = s.id and t.ts = s.ts
         when matched then update set payload = s.payload
         when not matched then insert (id, ts, customer_id, payload) values (s.id, s.ts, ${String(CUSTOMER)}, s.payload)`,
      [id, target.ts, payload],
    );
    model.put(lineOf(id, target.ts, CUSTOMER, payload));
  }
};

/** Its partition belongs to this writer alone: all rows in it, those from before the race too, are in its model. */
const byTruncate: Act = async ({ sql, target, model, newId, random }) => {
  for (let row = 0; row < 4; row += 1) {
    const id = newId();
    await insertInto(target.partition, false, target.ts)(sql, id, 'until truncated');
    model.put(lineOf(id, target.ts, CUSTOMER, 'until truncated'));
  }
  if (random() < 0.7) return;
  const id = newId();
  await sql.begin(async (tx) => {
    await tx.unsafe(`truncate ${target.partition}`);
    await insertInto(target.partition, false, target.ts)(tx, id, 'after truncation');
  });
  model.rows.clear();
  model.put(lineOf(id, target.ts, CUSTOMER, 'after truncation'));
};

/**
 * Writes into the referenced table only, and foreign keys carry it on: a customer of its own, an event of that customer,
 * then the customer gets another number and is deleted. What was quarantined before that stays as it was.
 */
const byCascade: Act = async ({ sql, target, model, newId, random }) => {
  const id = newId();
  const customer = Number(newId()) % 1_000_000_000;
  await sql`insert into app.customer (id) values (${customer}::integer)`;
  await sql`
    insert into app.event (id, ts, customer_id, payload) values (${id}::bigint, ${target.ts}::timestamptz, ${customer}::integer, 'cascade')`;
  const lines = [lineOf(id, target.ts, customer, 'cascade')];
  model.either(id, ...lines);
  if (random() < 0.5) {
    await sql`update app.customer set id = id + 1000000000 where id = ${customer}::integer`;
    lines.push(lineOf(id, target.ts, customer + 1_000_000_000, 'cascade'));
    model.either(id, ...lines);
  }
  await sql`delete from app.customer where id in (${customer}::integer, ${customer}::integer + 1000000000)`;
  model.either(id, ...lines, null);
};

/** Rows for the past, through the parent, and then pg_partman's usual cure for rows in the default partition. */
const byPartman: Act = async (writer) => {
  const { ts } = writer.target;
  // A new partition must belong to the owner of the others.
  await writer.sql`set role app_owner`;
  const parent = 'app.event';
  await plain(
    insertInto(parent, false, ts),
    updateIn(parent, false, ts),
    deleteFrom(parent, false, ts),
  )(writer);
  if (writer.random() < 0.1) await writer.sql`select partman.partition_data_time('app.event')`;
};

/**
 * Deletes from the referenced table and inserts there again, without a pause: no row of a partition changes, but each delete
 * locks the referenced table and then looks through all partitions.
 */
const bySteadyDeletes: Act = async ({ sql, newId }) => {
  const customer = Number(newId()) % 1_000_000_000;
  await sql`insert into app.customer (id) values (${customer}::integer)`;
  for (let time = 0; time < 3; time += 1)
    await sql.begin(async (tx) => {
      await tx`delete from app.customer where id = ${customer}::integer`;
      await sleep(20);
      await tx`insert into app.customer (id) values (${customer}::integer)`;
    });
  await sql`delete from app.customer where id = ${customer}::integer`;
};

/** Every kind of writer. */
export const WRITERS = {
  'by the name of the partition': through(({ partition }) => partition),
  'through the parent': through(() => 'app.event'),
  'by prepared statements': through(({ partition }) => partition, true),
  'through an auto-updatable view': through(() => 'app.event_view'),
  'as a replica': asReplica,
  'by COPY': byCopy,
  'by MERGE': byMerge,
  'by TRUNCATE': byTruncate,
  'by foreign key cascade': byCascade,
  'by partition_data_time': byPartman,
  'by steady deletes from a referenced table': bySteadyDeletes,
} as const satisfies Record<string, Act>;

/** Name of a kind of writer. */
export type WriterKind = keyof typeof WRITERS;

/** A writer at work. */
export interface Working {
  readonly kind: string;
  readonly model: Model;
  /** SQLSTATEs of what it was refused, and how often; `none` counts what was committed. */
  readonly results: Map<string, number>;
  stop(): Promise<void>;
}

/** Sets a writer to work until it is stopped. */
export function startWriter(kind: string, act: Act, means: Writer): Working {
  const results = new Map<string, number>();
  const count = (code: string): void => {
    results.set(code, (results.get(code) ?? 0) + 1);
  };
  const state = { stopped: false };
  const working = (async (): Promise<void> => {
    while (!state.stopped) {
      try {
        await act(means);
        count('none');
      } catch (error) {
        count(sqlstateOf(error));
        // As an application does that was refused: not at once again.
        await sleep(30);
      }
      await sleep(means.random() * 8);
    }
  })();
  return {
    kind,
    model: means.model,
    results,
    stop: async () => {
      state.stopped = true;
      await working;
      await means.sql.end({ timeout: 1 });
    },
  };
}

/** Or what it says, where it is no refusal of PostgreSQL's: the harness reports it as it is. */
function sqlstateOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return String(error);
}
