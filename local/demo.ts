/**
 * `npm start`: the main job on this machine. Brings the local stack up, loads real flights, synthesises the CDK app,
 * runs the synthesised state machine with the synthesised Lambda bundles, and checks the invariant afterwards.
 * Exit code 0 only if the invariant was checked and holds.
 *
 *   --keep   leaves everything for the next commands, which it names
 */
import { join, relative, resolve } from 'node:path';
import { commandOptions } from '../adapters/command-options.ts';
import { installArchiver } from '../adapters/postgres/install.ts';
import { makeS3Client } from '../adapters/s3/client.ts';
import type { RunReport } from '../core/archive/report.ts';
import { checkInvariant, listKeys, type MonthCheck } from './demo/check.ts';
import { DEMO, forget, giveSecrets, load, readStage, withDatabase, writeStage } from './demo/environment.ts';
import { execute } from './demo/execute.ts';
import { checkQuery } from './demo/query.ts';
import { nextCommands, writeCommandFiles } from './demo/keep.ts';
import { startLocalStack, type LocalStack } from './stack.ts';
import { synthesise } from './synthesise.ts';

const { values: options } = commandOptions(import.meta.filename, {
  options: { keep: { type: 'boolean', default: false } },
});
const folder = resolve(import.meta.dirname, '..');
const directory = join(folder, '.local', 'demo');
const started = Date.now();
const FLIGHTS = { schema: 'public', table: 'flights' } as const;
/** What the partitions of this small a table are cut to, so that each has several segments. */
const SEGMENT_SIZE_MIB = 16;
const PARTITION_SETS = [{ ...FLIGHTS, drop: true, graceDays: 0, segmentSizeMiB: SEGMENT_SIZE_MIB }];

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};
const headline = (text: string): void => {
  say(`\n[${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s] ${text}`);
};

process.exitCode = await main();

async function main(): Promise<number> {
  const stage = readStage(directory);
  // What an earlier start has archived and checked is there to look around in.
  const shown = stage === 'checked' && options.keep;
  if (stage === 'loaded') say('An earlier start did not come to its end: continuing from where it was.');
  else if (shown) say('An earlier start has archived and checked its data: starting the stack with that.');
  else forget(directory);

  headline('Starting PostgreSQL with pg_partman, PgBouncer in RDS Proxy’s place, and RADOS Gateway in S3’s');
  const stack = await startLocalStack({
    directory,
    objectStore: 'disk',
    log: (line) => {
      say(`  ${line}`);
    },
  });
  try {
    if (stage !== 'loaded' && !shown) {
      headline('Loading 3,000,000 flights into a table partitioned by month');
      await load(stack, (rows) => {
        if (rows % 500_000 === 0) say(`  ${rows.toLocaleString('en')} rows`);
      });
      writeStage(directory, 'loaded');
    } else await withDatabase(stack, DEMO.database, installArchiver);
    const code = shown ? 0 : await archive(stack);
    if (options.keep) await keep(stack);
    else if (code === 0) sayNext();
    return code;
  } finally {
    await stack.stop();
  }
}

async function archive(stack: LocalStack): Promise<number> {
  headline('Synthesising the CDK app');
  const machine = await synthesise(stack, {
    directory,
    database: DEMO.database,
    bucket: DEMO.bucket,
    partitionSets: PARTITION_SETS,
  });
  await giveSecrets(stack, machine.secrets);
  say(`  state machine ${machine.name}, ${String(machine.functions.size)} Lambda functions`);

  headline(
    'Running the state machine: maintain → detect → quarantine → export → verify → commit → drop → report',
  );
  const execution = await execute(machine, stack, (line) => {
    say(line);
  });
  if (execution.status !== 'SUCCEEDED') {
    say(`\nThe execution ended as ${execution.status}: ${execution.error ?? ''}\n${execution.cause ?? ''}`);
    return 1;
  }
  present(execution.output as RunReport);

  headline(
    'Checking the invariant: restoring every archive by psql and COPY, comparing with a copy from before',
  );
  const months = await checkInvariant(stack);
  presentCheck(months);
  await presentTree(stack);
  const holds = months.length > 0 && months.every((month) => month.holds);
  if (holds) writeStage(directory, 'checked');
  headline(
    holds
      ? 'The invariant holds: every row is in the table, or in an archive that was proven against it.'
      : 'THE INVARIANT IS VIOLATED: rows are missing or differ.',
  );
  if (!holds) return 1;
  const answered = await ask(stack);
  return answered ? 0 : 1;
}

/** Asks the archived months in SQL, and compares the answer with the one from before. */
async function ask(stack: LocalStack): Promise<boolean> {
  headline('Converting the archives to Parquet, each proven equal to its text, and querying them in SQL');
  const { sql, lines, textBytes, copyBytes, same } = await checkQuery(stack, directory);
  say(`  ${(textBytes / 1e6).toFixed(1)} MB of text, ${(copyBytes / 1e6).toFixed(1)} MB of Parquet`);
  for (const line of sql.split('\n')) say(`  ${line}`);
  for (const line of lines) say(`    ${line}`);
  headline(
    same
      ? 'The archive gives the answer that the table gave before its partitions were dropped.'
      : 'THE ANSWER OUT OF THE ARCHIVE DIFFERS from the one from before.',
  );
  return same;
}

function present(report: RunReport): void {
  headline(`Done: ${report.summary}`);
  for (const { partition, state, rows, bytes } of report.partitions) {
    const size = `${(rows ?? 0).toLocaleString('en').padStart(9)} rows ${((bytes ?? 0) / 1e6).toFixed(1).padStart(6)} MB`;
    say(
      `  ${partition.padEnd(26)} ${size}   archived, proven, ${state === 'dropped' ? 'dropped' : `and ${state}`}`,
    );
  }
  for (const { partitionSet, attached } of report.partitionSets) {
    say(
      `  ${partitionSet.padEnd(26)} ${String(attached)} partitions stay attached: within the retention, or for the future`,
    );
  }
}

function presentCheck(months: readonly MonthCheck[]): void {
  say('  month       before     in the table   in the archive');
  for (const { month, before, inTable, inArchive, holds } of months) {
    const number = (value: number): string => value.toLocaleString('en').padStart(14);
    say(
      `  ${month} ${number(before)} ${number(inTable)} ${number(inArchive)}   ${holds ? 'same contents' : 'DIFFERS'}`,
    );
  }
}

async function presentTree(stack: LocalStack): Promise<void> {
  const s3 = makeS3Client({ ...stack.s3, credentials: stack.s3 });
  try {
    say(`\n  s3://${DEMO.bucket}`);
    for (const key of await listKeys(s3)) say(`    ${key}`);
  } finally {
    s3.destroy();
  }
}

/** Leaves the stack up, with what the local command needs to work on it, until it is interrupted. */
async function keep(stack: LocalStack): Promise<void> {
  const files = await writeCommandFiles(stack, directory, PARTITION_SETS);
  const [environment = '', ...commands] = await nextCommands(stack, files, folder);
  headline('The stack stays up; Ctrl-C ends it. In another terminal, in this folder:');
  say(`    ${environment}`);
  say('  and then, for example:');
  for (const command of commands) say(`    ${command}`);
  say('    psql -c "select id, table_name, state, row_count from partition_archiver.partition order by id"');
  say(`    npm run archive -- run --dry-run --config ${relative(folder, files.partitionSets)}`);
  await new Promise(() => {
    setInterval(() => undefined, 60_000);
  });
}

/** What to try next where nothing is left up. */
function sayNext(): void {
  say('\nNext:');
  for (const [command, does] of [
    ['npm start -- --keep', 'leaves database and bucket up for: npm run archive -- status, find, restore'],
    ['npm run archive -- --help', 'the same steps against a PostgreSQL and an S3 of yours, without Lambdas'],
    ['npm run cdk -- synth -c config=partition-archiver.example.json', 'what would be deployed'],
  ] as const) {
    say(`  ${command}\n      ${does}`);
  }
}
