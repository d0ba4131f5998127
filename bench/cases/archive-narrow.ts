import { archive } from '../lib/archive.ts';
import type { Environment } from '../lib/environment.ts';
import { ROUNDS, Samples, seconds } from '../lib/measure.ts';
import { dropByHand, exportByHand, PEERS, proveByHand, runPeer } from '../lib/recipe.ts';
import { atMost, table, type Case, type Outcome } from '../lib/result.ts';
import { serverCpu } from '../lib/server-cpu.ts';
import { makeDetached, NARROW, type Detached } from '../lib/tables.ts';

/** A whole archive of the blog's table, beside the recipe by hand, the proven recipe and what others do. */
export const archiveNarrow: Case = {
  names: ['archive-vs-recipe-narrow', 'archive-vs-proven-recipe', 'server-cpu-vs-copy'],
  run: async (environment): Promise<Outcome> => {
    const { quick, say, sql } = environment;
    const rows = quick ? 200_000 : NARROW.rows;
    const samples = new Samples();
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      say(`  round ${round}`);
      const ours = await makeDetached(environment, NARROW, rows);
      const copy = `copy ${ours.schema}.${ours.table} to '/dev/null'`;
      samples.add(
        'cpu copy',
        await serverCpu(environment, () => samples.time('copy', () => sql.unsafe(copy))),
      );
      samples.add('cpu', await serverCpu(environment, () => archiveOurs(environment, ours, samples)));

      const theirs = await makeDetached(environment, NARROW, rows);
      for (const peer of PEERS) await samples.time(peer.name, () => runPeer(environment, peer, theirs));
      const exported = await seconds(() => exportByHand(environment, theirs));
      const proven = await samples.time('proof', () => proveByHand(environment, theirs));
      const dropped = await samples.time('drop', () => dropByHand(environment, theirs));
      samples.add('recipe', exported + dropped);
      samples.add('proven recipe', exported + proven + dropped);
    }
    return {
      rows: [
        atMost('archive-vs-recipe-narrow', samples.ratio('archive', 'recipe'), 1.4),
        atMost('archive-vs-proven-recipe', samples.ratio('archive', 'proven recipe'), 0.25),
        atMost('server-cpu-vs-copy', samples.ratio('cpu', 'cpu copy'), 2.6),
      ],
      figures: describe(samples, rows),
    };
  },
};

async function archiveOurs(environment: Environment, partition: Detached, samples: Samples): Promise<void> {
  await samples.time('archive', async () => {
    const times = await archive(environment, NARROW, partition);
    for (const [step, milliseconds] of Object.entries(times))
      samples.add(`step ${step}`, milliseconds / 1000);
  });
}

function describe(samples: Samples, rows: number): string {
  const steps = ['quarantine', 'export', 'verify', 'commit', 'drop']
    .map((step) => `${step} ${samples.median(`step ${step}`).toFixed(2)}`)
    .join(', ');
  const of = (kind: string): string => `${(samples.median(kind) / samples.median('recipe')).toFixed(2)} ×`;
  return [
    `${rows.toLocaleString('en')} rows of 46 bytes, with their primary key; seconds, median (least to most) of ${samples.of('archive').length} rounds.`,
    '',
    table(
      ['what', 'seconds', 'against the recipe', 'proves before it drops'],
      [
        [
          'partition-archiver, whole archive',
          samples.show('archive'),
          of('archive'),
          'every byte was read back from S3 and equals a second COPY, while nothing could write; the DDL was tried',
        ],
        ['recipe by hand', samples.show('recipe'), of('recipe'), 'as many lines in S3 as rows in the table'],
        [
          'recipe by hand, proven',
          samples.show('proven recipe'),
          of('proven recipe'),
          'the re-imported rows equal the table (EXCEPT ALL both ways)',
        ],
        ...PEERS.map(({ name, proves }) => [name, samples.show(name), of(name), proves]),
      ],
    ),
    '',
    `Steps of the archive, summed over segments, of which three run at a time: ${steps} s. The peers' times leave their drop out (by hand it takes ${samples.median('drop').toFixed(2)} s).`,
    '',
    `Server CPU: ${samples.show('cpu')} s for the archive, ${samples.show('cpu copy')} s for one \`COPY … TO '/dev/null'\`, which takes ${samples.show('copy')} s.`,
  ].join('\n');
}
