import { ROUNDS, Samples } from '../lib/measure.ts';
import { shown, table, type Case } from '../lib/result.ts';
import { shell } from '../lib/shell.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** What the local aws_s3 itself costs, so that nobody tunes the wrong thing. */
export const standIns: Case = {
  names: ['stand-in-aws-s3'],
  run: async (environment) => {
    const rows = environment.quick ? 200_000 : NARROW.rows;
    const { schema, table: name } = await makeDetached(environment, NARROW, rows);
    const query = `select * from ${schema}.${name}`;
    const samples = new Samples();
    for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      await samples.time('null', () => shell(environment, `psql -Xqc "copy (${query}) to '/dev/null'"`));
      await samples.time('cat', () =>
        shell(environment, `psql -Xqc "copy (${query}) to program 'cat > /dev/null'"`),
      );
      await samples.time('export', () =>
        shell(
          environment,
          `psql -XqAtc "select * from aws_s3.query_export_to_s3('${query}', aws_commons.create_s3_uri('$BUCKET', 'stand-in', '$REGION'), options := 'format text')"`,
        ),
      );
    }
    await environment.sql.unsafe(`drop table ${schema}.${name}`);
    return {
      rows: [shown('stand-in-aws-s3', samples.ratio('export', 'cat'), '× COPY TO PROGRAM cat')],
      figures: [
        'The local aws_s3 is a COPY TO PROGRAM whose bytes go through dd, curl and a Node.js process to the RADOS Gateway. Its time is in every export here, ours and the recipe’s.',
        '',
        table(
          ['what', 'seconds'],
          [
            ["COPY … TO '/dev/null'", samples.show('null')],
            ["COPY … TO PROGRAM 'cat > /dev/null'", samples.show('cat')],
            ['aws_s3.query_export_to_s3, the stand-in', samples.show('export')],
          ],
        ),
      ].join('\n'),
    };
  },
};
