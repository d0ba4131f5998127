import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { PRODUCT } from '../../core/manifest.ts';
import { archive, TWO_CORES } from '../lib/archive.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { Samples } from '../lib/measure.ts';
import { dropByHand, exportByHand } from '../lib/recipe.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { serverCpu } from '../lib/server-cpu.ts';
import { makeDetached, NARROW, WIDE, type Detached, type Shape } from '../lib/tables.ts';

/** Three archives of each shape a round. */
const ROUNDS = 3;

/** A set that is streamed, with each proof. */
const ONE_READING = { ...TWO_CORES, set: { export: 'stream' } };
const TWO_READINGS = { ...TWO_CORES, set: { export: 'stream', proof: 'two-readings' } };

/** A whole archive of narrow rows by stream, beside the recipe by hand. */
export const streamNarrow: Case = {
  names: ['stream-vs-recipe-narrow', 'stream-server-cpu', 'stream-compressed-size'],
  run: async (environment) => {
    const samples = await measure(environment, NARROW, environment.quick ? 200_000 : NARROW.rows);
    return {
      rows: [
        atMost('stream-vs-recipe-narrow', samples.ratio('stream', 'recipe'), 0.9),
        atMost('stream-server-cpu', samples.ratio('cpu', 'cpu copy'), 1.5),
        atMost('stream-compressed-size', samples.ratio('stored', 'text'), 0.4),
      ],
      figures: describe(samples),
    };
  },
};

/** The same of wide rows. */
export const streamWide: Case = {
  names: ['stream-vs-recipe-wide', 'stream-compressed-size-wide'],
  run: async (environment) => {
    const samples = await measure(environment, WIDE, environment.quick ? 50_000 : WIDE.rows);
    return {
      rows: [
        atMost('stream-vs-recipe-wide', samples.ratio('stream', 'recipe'), 0.9),
        atMost('stream-compressed-size-wide', samples.ratio('stored', 'text'), 0.3),
      ],
      figures: describe(samples),
    };
  },
};

async function measure(environment: Environment, shape: Shape, rows: number): Promise<Samples> {
  const { quick, say, sql } = environment;
  const samples = new Samples();
  await afterFirstRun(environment);
  for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
    say(`  round ${round}`);
    const ours = await makeDetached(environment, shape, rows);
    const copy = `copy ${ours.schema}.${ours.table} to '/dev/null'`;
    samples.add('cpu copy', await serverCpu(environment, () => sql.unsafe(copy)));
    const cpu = process.cpuUsage();
    samples.add(
      'cpu',
      await serverCpu(environment, () =>
        samples.time('stream', async () => {
          const times = await archive(environment, shape, ours, ONE_READING);
          for (const [step, milliseconds] of Object.entries(times))
            samples.add(`step ${step}`, milliseconds / 1000);
        }),
      ),
    );
    const { user, system } = process.cpuUsage(cpu);
    samples.add('node', (user + system) / 1_000_000);
    const { stored, text } = await sizes(environment, ours);
    samples.add('stored', stored);
    samples.add('text', text);

    const twice = await makeDetached(environment, shape, rows);
    const work = () => samples.time('twice', () => archive(environment, shape, twice, TWO_READINGS));
    samples.add('cpu twice', await serverCpu(environment, work));

    const theirs = await makeDetached(environment, shape, rows);
    await samples.time('recipe', async () => {
      await exportByHand(environment, theirs);
      await dropByHand(environment, theirs);
    });
  }
  return samples;
}

/** As if a run of this version had proven a segment by both proofs: until then, every segment has two readings. */
async function afterFirstRun({ sql }: Environment): Promise<void> {
  await sql`
    insert into partition_archiver.run
      (started_at, mode, dry_run, partition_sets, archived, dropped, failed, product_version, read_twice)
    values ('2021-01-01', 'archive', false, '{}', 1, 1, 0, ${PRODUCT.version}, 1) on conflict do nothing`;
}

/** Megabytes of an archive's data in S3, and of the COPY text that they hold. */
async function sizes({ s3, sql }: Environment, { id }: Detached): Promise<{ stored: number; text: number }> {
  const [row] = await sql<[{ archive: string; prefix: string; text: string }]>`
    select archive_id::text as archive, byte_count as text,
           concat_ws('/', database_name, parent_schema, parent_name) as prefix
      from partition_archiver.partition where id = ${id}`;
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: BENCH.bucket, Prefix: `${row.prefix}/` }),
  );
  const data = Contents.filter(({ Key = '' }) => Key.includes(`/data/${row.archive}`));
  return { stored: data.reduce((sum, { Size = 0 }) => sum + Size, 0) / 1e6, text: Number(row.text) / 1e6 };
}

function describe(samples: Samples): string {
  const steps = ['quarantine', 'export', 'verify', 'commit', 'drop']
    .map((step) => `${step} ${samples.median(`step ${step}`).toFixed(2)}`)
    .join(', ');
  return [
    `Median (least to most) of ${samples.of('stream').length} rounds.`,
    '',
    table(
      ['what', 'seconds'],
      [
        [
          'partition-archiver, whole archive by stream, one reading (one segment in 16: two)',
          samples.show('stream'),
        ],
        ['the same, two readings of all segments', samples.show('twice')],
        ['recipe by hand, counts only', samples.show('recipe')],
        ['CPU of the server, whole archive, one reading', samples.show('cpu')],
        ['… two readings', samples.show('cpu twice')],
        ["CPU of the server, one `COPY … TO '/dev/null'`", samples.show('cpu copy')],
        ['CPU of Node.js, whole archive, one reading', samples.show('node')],
      ],
    ),
    '',
    `Steps, summed over segments, of which three run at a time: ${steps} s. In S3: ${samples.show('stored', 0)} MB, of ${samples.show('text', 0)} MB of text.`,
  ].join('\n');
}
