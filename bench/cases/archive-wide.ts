import { archive } from '../lib/archive.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { dropByHand, exportByHand } from '../lib/recipe.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { makeDetached, WIDE } from '../lib/tables.ts';

/** A whole archive of wide rows, beside the recipe by hand. */
export const archiveWide: Case = {
  names: ['archive-vs-recipe-wide'],
  run: async (environment) => {
    const rows = environment.quick ? 50_000 : WIDE.rows;
    const samples = new Samples();
    for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      environment.say(`  round ${round}`);
      const ours = await makeDetached(environment, WIDE, rows);
      await samples.time('archive', () => archive(environment, WIDE, ours));
      const theirs = await makeDetached(environment, WIDE, rows);
      await samples.time('recipe', async () => {
        await exportByHand(environment, theirs);
        await dropByHand(environment, theirs);
      });
    }
    return {
      rows: [atMost('archive-vs-recipe-wide', samples.ratio('archive', 'recipe'), 1.3)],
      figures: [
        `${rows.toLocaleString('en')} rows of about 310 bytes; seconds, median (least to most) of ${samples.of('archive').length} rounds.`,
        '',
        table(
          ['what', 'seconds'],
          [
            ['partition-archiver, whole archive', samples.show('archive')],
            ['recipe by hand, counts only', samples.show('recipe')],
          ],
        ),
      ].join('\n'),
    };
  },
};
