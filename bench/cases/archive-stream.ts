import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { STREAM_VERSION } from '../../core/manifest.ts';
import { archive, TWO_CORES } from '../lib/archive.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { Samples } from '../lib/measure.ts';
import { dropByHand, exportByHand } from '../lib/recipe.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { serverCpu } from '../lib/server-cpu.ts';
import { makeDetached, NARROW, WIDE, type Detached, type Shape } from '../lib/tables.ts';

/** Three archives of each shape a round. */
const ROUNDS = 3;

/** Settings of a set that is streamed: the default, and what costs more for fewer bytes or a stronger proof. */
const WAYS = {
  stream: { export: 'stream' },
  zstd: { export: 'stream', compression: 'zstd' },
  twice: { export: 'stream', proof: 'two-readings' },
} as const;
type Way = keyof typeof WAYS;

/** A whole archive of narrow rows by stream, beside the recipe by hand. */
export const streamNarrow: Case = {
  names: ['stream-vs-recipe-narrow', 'stream-server-cpu', 'stream-compressed-size'],
  run: async (environment) => {
    const samples = await measure(environment, NARROW, environment.quick ? 200_000 : NARROW.rows);
    return {
      rows: [
        atMost('stream-vs-recipe-narrow', samples.ratio('stream', 'recipe'), 0.9),
        atMost('stream-server-cpu', samples.ratio('stream server', 'copy server'), 1.5),
        atMost('stream-compressed-size', samples.ratio('zstd stored', 'zstd text'), 0.4),
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
        atMost('stream-compressed-size-wide', samples.ratio('zstd stored', 'zstd text'), 0.3),
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
    for (const way of Object.keys(WAYS) as Way[]) {
      const partition = await makeDetached(environment, shape, rows);
      if (way === 'stream') {
        const copy = `copy ${partition.schema}.${partition.table} to '/dev/null'`;
        samples.add('copy server', await serverCpu(environment, () => sql.unsafe(copy)));
      }
      await measureWay(environment, samples, way, shape, partition);
    }
    const theirs = await makeDetached(environment, shape, rows);
    await samples.time('recipe', async () => {
      await exportByHand(environment, theirs);
      await dropByHand(environment, theirs);
    });
  }
  return samples;
}

/** Adds seconds, CPU seconds of the server and of Node.js, steps, megabytes and readings of one archive. */
async function measureWay(
  environment: Environment,
  samples: Samples,
  way: Way,
  shape: Shape,
  partition: Detached,
): Promise<void> {
  const work = async (): Promise<void> => {
    const times = await archive(environment, shape, partition, { ...TWO_CORES, set: WAYS[way] });
    for (const [step, milliseconds] of Object.entries(times))
      samples.add(`${way} ${step}`, milliseconds / 1000);
  };
  const node = process.cpuUsage();
  samples.add(`${way} server`, await serverCpu(environment, () => samples.time(way, work)));
  const { user, system } = process.cpuUsage(node);
  samples.add(`${way} node`, (user + system) / 1_000_000);
  const { stored, text, segments, readOnce } = await contents(environment, partition);
  samples.add(`${way} stored`, stored);
  samples.add(`${way} text`, text);
  samples.add(`${way} segments`, segments);
  samples.add(`${way} read once`, readOnce);
}

/** As if a run of this version had proven a segment by both proofs: until then, every segment has two readings. */
async function afterFirstRun({ sql }: Environment): Promise<void> {
  await sql`
    insert into partition_archiver.run
      (started_at, mode, dry_run, partition_sets, archived, dropped, failed, stream_version, read_twice)
    values ('2021-01-01', 'archive', false, '{}', 1, 1, 0, ${STREAM_VERSION}, 1) on conflict do nothing`;
}

/** Megabytes of an archive's data in S3, and of the COPY text that they hold; its segments, and those with one reading. */
async function contents(
  { s3, sql }: Environment,
  { id }: Detached,
): Promise<{ stored: number; text: number; segments: number; readOnce: number }> {
  const [row] = await sql<[{ archive: string; prefix: string; text: string; all: string; once: string }]>`
    select archive_id::text as archive, l.byte_count as text, count(*) as all,
           count(*) filter (where s.proof = 'one-reading') as once,
           concat_ws('/', database_name, parent_schema, parent_name) as prefix
      from partition_archiver.partition l join partition_archiver.segment s using (archive_id)
     where id = ${id} group by l.id`;
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: BENCH.bucket, Prefix: `${row.prefix}/` }),
  );
  const data = Contents.filter(({ Key = '' }) => Key.includes(`/data/${row.archive}`));
  return {
    stored: data.reduce((sum, { Size = 0 }) => sum + Size, 0) / 1e6,
    text: Number(row.text) / 1e6,
    segments: Number(row.all),
    readOnce: Number(row.once),
  };
}

function describe(samples: Samples): string {
  const steps = ['quarantine', 'export', 'verify', 'commit', 'drop']
    .map((step) => `${step} ${samples.median(`stream ${step}`).toFixed(2)}`)
    .join(', ');
  const row = (title: string, way: Way): string[] => [
    title,
    samples.show(way),
    samples.show(`${way} server`),
    samples.show(`${way} node`),
    `${samples.median(`${way} stored`).toFixed(0)} of ${samples.median(`${way} text`).toFixed(0)}`,
    `${samples.median(`${way} read once`)} of ${samples.median(`${way} segments`)}`,
  ];
  return [
    `Seconds, median (least to most) of ${samples.of('stream').length} rounds; the rows are about the first line, the size about the second one.`,
    '',
    table(
      ['what', 'time', 'CPU of the server', 'CPU of Node.js', 'MB in S3', 'segments with one reading'],
      [
        row('partition-archiver, whole archive, `"export": "stream"`', 'stream'),
        row('… with `"compression": "zstd"`', 'zstd'),
        row('… with `"proof": "two-readings"`', 'twice'),
        ['recipe by hand, counts only', samples.show('recipe'), '', '', '', ''],
        ["one `COPY … TO '/dev/null'`", '', samples.show('copy server'), '', '', ''],
      ],
    ),
    '',
    `Steps of the first line, summed over segments, of which three run at a time: ${steps} s.`,
  ].join('\n');
}
