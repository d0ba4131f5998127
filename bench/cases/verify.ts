import { systemClock } from '../../adapters/clock.ts';
import { verifyDatabase } from '../../adapters/postgres/archive/verify.ts';
import { copyOut, type CopyOut } from '../../adapters/postgres/copy.ts';
import { copyOutByDriver } from '../../adapters/postgres/copy-by-driver.ts';
import { s3ObjectStore } from '../../adapters/s3/object-store.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import { silentLog } from '../../core/ports.ts';
import { configFor, REQUEST, stepsFor } from '../lib/archive.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { shell } from '../lib/shell.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** The proof alone, beside psql and sha256sum, which read only one of the two streams. */
export const verify: Case = {
  names: ['verify-vs-psql', 'verify-node-cpu'],
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

    const reopen = () => sql`
      update partition_archiver.segment set state = 'exported'
       where archive_id = (select archive_id from partition_archiver.partition where id = ${id})`;

    const samples = new Samples();
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      // A segment that is verified would not be looked at again.
      await reopen();
      await samples.time('verify', () => steps.verify(id, 0));
      for (const [kind, reader] of READERS) {
        await reopen();
        samples.add(kind, await nodeCpu(() => verifyBy(environment, id, reader)));
      }
      await samples.time('psql', () =>
        shell(environment, `psql -Xqc '${copy.replaceAll("'", "'\\''")}' | sha256sum`),
      );
    }
    await steps.commit(id, REQUEST);
    await steps.drop(id);
    return {
      rows: [
        atMost('verify-vs-psql', samples.ratio('verify', 'psql'), 1.4),
        atMost('verify-node-cpu', samples.ratio('frames', 'driver'), 0.6),
      ],
      figures: table(
        ['what', 'seconds'],
        [
          [
            'verify: table and S3, compared, SHA-256, a hash of each line; TLS, pooler',
            samples.show('verify'),
          ],
          ['CPU of Node.js in verify', samples.show('frames')],
          ["the same, where the driver's own stream reads the COPY", samples.show('driver')],
          ["psql -c 'COPY … TO STDOUT' \\| sha256sum; no TLS, no pooler", samples.show('psql')],
        ],
      ),
    };
  },
};

const READERS: readonly (readonly [string, CopyOut])[] = [
  ['frames', copyOut],
  ['driver', copyOutByDriver],
];

async function verifyBy({ open, s3, stack }: Environment, id: number, copyOut: CopyOut): Promise<void> {
  const connection = open('archiver_read');
  const place = { open: () => open('archiver_read'), isVerifyEndpoint: false, copyOut };
  await verifySegment(id, 0, {
    database: verifyDatabase(connection, place),
    store: s3ObjectStore(s3, BENCH.bucket, stack.s3.region),
    clock: systemClock(),
    log: silentLog,
  });
  await connection.end();
}

/** Seconds of CPU that this process takes for `work`. */
async function nodeCpu(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}
