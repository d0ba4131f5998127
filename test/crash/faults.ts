import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { APPLICATION_NAME } from '../support/databases.ts';
import type { RoleSecrets } from './secrets.ts';
import { ASLEEP, THROTTLED } from '../support/faults/lambda-service.ts';
import { CUT, PASS, type Moment, type Point, type Verdict } from '../support/faults/gate.ts';

/** What a fault can lay hands on. */
export interface Victims {
  /** As superuser, and directly. */
  readonly sql: postgres.Sql;
  readonly database: string;
  readonly secrets: RoleSecrets;
  /** Kills the archiver's process with -9. */
  kill(): void;
  /** Lets the archiver wait less for a silent S3. */
  hurry(): void;
  /** Only where the stack belongs to us. */
  readonly server: ServerControl | undefined;
}

/** The parts of a local stack that a fault can take down. */
export interface ServerControl {
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  restartPooler(): Promise<void>;
}

/** One kind of fault. */
export interface Fault {
  readonly name: string;
  readonly moment: Moment;
  appliesTo(point: Point): boolean;
  strike(victims: Victims): Verdict | Promise<Verdict>;
  /** Continues at every later point of the channel until the run ends. */
  readonly lasts?: boolean;
  /** S3 says something that is not true, so a partition may be blocked until an operator has looked. */
  readonly lies?: boolean;
  /** Takes down what other cases use, so it is tried alone. */
  readonly alone?: boolean;
}

const on =
  (...channels: readonly Point['channel'][]) =>
  (point: Point): boolean =>
    channels.includes(point.channel);

const labelled =
  (words: RegExp) =>
  (point: Point): boolean =>
    words.test(point.label);

/** Longer than a lock is waited for (a quarter of `deadlock_timeout`), so that tries are used up. */
const LOCK_HELD_MS = 700;

async function holdLocks({ sql }: Victims): Promise<Verdict> {
  const taken = Promise.withResolvers<undefined>();
  const holding = sql.begin(async (tx) => {
    const tables = await tx<{ name: string }[]>`
      select oid::regclass::text as name from pg_class
       where relkind in ('r', 'p') and relname like 'event%' and relnamespace::regnamespace::text in ('app', 'partition_archiver_quarantine')`;
    if (tables.length > 0) {
      await tx.unsafe(
        `lock table only ${tables.map(({ name }) => name).join(', only ')} in access share mode`,
      );
    }
    taken.resolve(undefined);
    await sleep(LOCK_HELD_MS);
  });
  holding.catch((error: unknown) => taken.reject(error));
  await taken.promise;
  return PASS;
}

async function terminateBackends({ sql, database }: Victims): Promise<Verdict> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = ${database} and backend_type = 'client backend' and application_name <> ${APPLICATION_NAME}`;
  return PASS;
}

async function crashServer({ server }: Victims): Promise<Verdict> {
  await server?.killPostgres();
  await server?.startPostgres();
  return CUT;
}

const answer = (status: number, code: string): Verdict => ({ kind: 'answer', status, code });

const killed = ({ kill }: Victims): Verdict => {
  kill();
  return CUT;
};

const S3_ERRORS: readonly (readonly [status: number, code: string, lies: boolean])[] = [
  [403, 'AccessDenied', false],
  [404, 'NoSuchKey', true],
  [412, 'PreconditionFailed', true],
  [500, 'InternalError', false],
  [503, 'SlowDown', false],
];

/** Leave to run a function is asked for before it runs, and never after. */
const hasAfter = ({ channel }: Point): boolean => channel !== 'lambda';

/** Every kind of fault. */
export const FAULTS: readonly Fault[] = [
  { name: 'kill -9 before', moment: 'before', appliesTo: () => true, strike: killed },
  { name: 'kill -9 after, answer unread', moment: 'after', appliesTo: hasAfter, strike: killed },

  { name: 'connection cut before', moment: 'before', appliesTo: () => true, strike: () => CUT },
  { name: 'connection cut after, answer lost', moment: 'after', appliesTo: hasAfter, strike: () => CUT },
  { name: '57P01, backend terminated', moment: 'before', appliesTo: on('sql'), strike: terminateBackends },
  {
    name: 'tables locked by the application',
    moment: 'before',
    appliesTo: labelled(/run_maintenance|wait_for_autovacuum|detach_partition|quarantine|drop_verified/),
    strike: holdLocks,
  },
  {
    name: 'PostgreSQL kill -9 before',
    moment: 'before',
    appliesTo: on('sql', 'aws_s3'),
    strike: crashServer,
    alone: true,
  },
  {
    name: 'PostgreSQL kill -9 after COMMIT, answer lost',
    moment: 'after',
    // A function is called commit, too.
    appliesTo: (point) => point.channel === 'sql' && /^commit$|record_match|inventory/.test(point.label),
    strike: crashServer,
    alone: true,
  },
  {
    name: 'pooler restarted before',
    moment: 'before',
    appliesTo: (point) => point.channel === 'sql' && point.number % 5 === 0,
    strike: async ({ server }) => {
      await server?.restartPooler();
      return PASS;
    },
    alone: true,
  },

  ...S3_ERRORS.map(([status, code, lies]): Fault => ({
    name: `S3 returns ${String(status)} ${code}`,
    moment: 'before',
    appliesTo: on('s3', 'aws_s3'),
    strike: () => answer(status, code),
    lies,
  })),
  {
    name: 'S3 returns 503 SlowDown from here on',
    moment: 'before',
    appliesTo: on('s3'),
    strike: () => answer(503, 'SlowDown'),
    lasts: true,
  },
  {
    name: 'S3 is silent from here on',
    moment: 'before',
    appliesTo: on('s3'),
    strike: ({ hurry }) => {
      hurry();
      return { kind: 'silence' };
    },
    lasts: true,
  },
  {
    name: 'Secrets Manager returns 400 ThrottlingException',
    moment: 'before',
    appliesTo: on('secrets'),
    strike: () => answer(400, 'ThrottlingException'),
  },
  {
    name: 'Secrets Manager throttles from here on',
    moment: 'before',
    appliesTo: on('secrets'),
    strike: () => answer(400, 'ThrottlingException'),
    lasts: true,
  },
  {
    // The step has read the old password, and logs in with it: 28P01.
    name: 'secret rotated after it was read',
    moment: 'after',
    appliesTo: on('secrets'),
    strike: async ({ sql, secrets }) => {
      await secrets.rotate(sql);
      return PASS;
    },
    // The roles are those of every other case.
    alone: true,
  },
  {
    name: 'function throttled',
    moment: 'before',
    appliesTo: on('lambda'),
    strike: () => answer(429, THROTTLED),
  },
  {
    name: 'function asleep',
    moment: 'before',
    appliesTo: on('lambda'),
    strike: () => answer(502, ASLEEP),
  },
  {
    // RecordFailure and Report as well.
    name: 'all functions throttled from here on',
    moment: 'before',
    appliesTo: on('lambda'),
    strike: () => answer(429, THROTTLED),
    lasts: true,
  },
  {
    name: 'S3 body truncated',
    moment: 'after',
    appliesTo: labelled(/^GET/),
    strike: () => ({ kind: 'truncate' }),
  },
  {
    name: 'S3 body shortened without a sign',
    moment: 'after',
    appliesTo: labelled(/^GET/),
    strike: () => ({ kind: 'shorten' }),
    lies: true,
  },
];
