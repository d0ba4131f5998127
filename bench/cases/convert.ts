import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOf, convertApart, textFile } from '../lib/convert.ts';
import type { Environment } from '../lib/environment.ts';
import { Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { shell } from '../lib/shell.ts';
import { NARROW, WIDE, type Shape } from '../lib/tables.ts';

/** CPU seconds differ little from round to round. */
const ROUNDS = 3;

/** Converting with its proof, beside DuckDB, which proves nothing; CPU seconds, since wall clocks measure the neighbours. */
export const convertCase: Case = {
  names: ['convert-vs-duckdb', 'convert-wide', 'parquet-size', 'parquet-vs-gzip'],
  withoutSets: true,
  run: async (environment) => {
    const samples = new Samples();
    const sizes: [string, number, number, number, number][] = [];
    for (const shape of [NARROW, WIDE]) {
      const file = await copyText(environment, shape);
      const gzip = Number(await shell(environment, `gzip -6 -c '${file.path}' | wc -c`));
      let [ours, theirs] = [0, 0];
      for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
        const converted = await convertApart(environment, file, 'ours');
        const beside = await convertApart(environment, file, 'duckdb');
        samples.add(`${shape.name} ours`, converted.cpu);
        samples.add(`${shape.name} DuckDB`, beside.cpu);
        [ours, theirs] = [converted.bytes, beside.bytes];
      }
      sizes.push([shape.name, file.bytes, gzip, theirs, ours]);
      rmSync(file.path);
    }
    const ratio = ({ name }: Shape): number => samples.ratio(`${name} ours`, `${name} DuckDB`);
    const worst = (at: 2 | 3): number => Math.max(...sizes.map((row) => row[4] / row[at]));
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    return {
      rows: [
        atMost('convert-vs-duckdb', ratio(NARROW), 3),
        atMost('convert-wide', ratio(WIDE), 3),
        atMost('parquet-size', worst(3), 1.1),
        atMost('parquet-vs-gzip', worst(2), 1),
      ],
      figures: table(
        ['rows', 'CPU s, ours with proof', 'CPU s, DuckDB', 'text MB', 'gzip -6', 'DuckDB', 'ours'],
        sizes.map(([name, text, gzip, theirs, ours]) => [
          name,
          samples.show(`${name} ours`),
          samples.show(`${name} DuckDB`),
          ...[text, gzip, theirs, ours].map(megabytes),
        ]),
      ),
    };
  },
};

async function copyText(environment: Environment, shape: Shape) {
  const rows = environment.quick ? Math.ceil(shape.rows / 20) : shape.rows;
  const path = join(environment.directory, `${shape.name}.tsv`);
  // By way of a table: the values have the types of its columns, as those of an archive.
  await shell(
    environment,
    `psql -Xq -v ON_ERROR_STOP=1 <<'SQL' > '${path}'
set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set extra_float_digits = 1;
create temporary table t (${shape.columns});
insert into t select ${shape.values} from generate_series(1::bigint, ${String(rows)}) g;
copy t to stdout;
SQL`,
  );
  return textFile(path, columnsOf(shape.columns));
}
