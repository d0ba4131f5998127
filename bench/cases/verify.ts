import { configFor, REQUEST, stepsFor } from '../lib/archive.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { shell } from '../lib/shell.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** The proof alone, beside psql and sha256sum, which read only one of the two streams. */
export const verify: Case = {
  names: ['verify-vs-psql'],
  run: async (environment) => {
    const { sql, quick } = environment;
    const rows = quick ? 200_000 : NARROW.rows;
    const { id } = await makeDetached(environment, NARROW, rows);
    const steps = stepsFor(environment, configFor(NARROW, { segmentSizeMiB: 3072, segments: 1 }));
    await steps.quarantine(id, REQUEST);
    await steps.export(id, 0);
    const [quarantined] = await sql<{ name: string }[]>`
      select format('partition_archiver_quarantine.%I', quarantine_name) as name from partition_archiver.partition where id = ${id}`;
    const copy = `copy (select * from ${quarantined?.name ?? ''}) to stdout`;

    const samples = new Samples();
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      // A segment that is verified would not be looked at again.
      await sql`
        update partition_archiver.segment set state = 'exported'
         where archive_id = (select archive_id from partition_archiver.partition where id = ${id})`;
      await samples.time('verify', () => steps.verify(id, 0));
      await samples.time('psql', () =>
        shell(environment, `psql -Xqc '${copy.replaceAll("'", "'\\''")}' | sha256sum`),
      );
    }
    await steps.commit(id, REQUEST);
    await steps.drop(id);
    return {
      rows: [atMost('verify-vs-psql', samples.ratio('verify', 'psql'), 1.4)],
      figures: table(
        ['what', 'seconds'],
        [
          [
            'verify: table and S3, compared, SHA-256, a hash of each line; TLS, pooler',
            samples.show('verify'),
          ],
          ["psql -c 'COPY … TO STDOUT' \\| sha256sum; no TLS, no pooler", samples.show('psql')],
        ],
      ),
    };
  },
};
