import { readFileSync } from 'node:fs';
import { systemClock } from '../../adapters/clock.ts';
import { verifyDatabase } from '../../adapters/postgres/archive/verify.ts';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { s3ObjectStore } from '../../adapters/s3/object-store.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import { silentLog } from '../../core/ports.ts';
import { installedPostgres } from '../../local/stack/installation.ts';
import { startReplica, type Replica } from '../../local/stack/replica.ts';
import { archive, TWO_CORES } from '../lib/archive.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { serverCpu } from '../lib/server-cpu.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

const ROUNDS = 3;

/** CPU of the writer for a whole archive by aws_s3 that is verified at a physical replica. */
export const writerCpu: Case = {
  names: ['writer-cpu-with-reader'],
  run: async (environment) => {
    const { quick, say, sql, stack } = environment;
    const rows = quick ? 200_000 : NARROW.rows;
    const samples = new Samples();
    const replica = await startReplica(stack, installedPostgres());
    try {
      for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
        say(`  round ${round}`);
        const partition = await makeDetached(environment, NARROW, rows);
        await replica.catchUp();
        const copy = `copy ${partition.schema}.${partition.table} to '/dev/null'`;
        samples.add('cpu copy', await serverCpu(environment, () => sql.unsafe(copy)));
        const work = () =>
          archive(environment, NARROW, partition, TWO_CORES, { verify: verifyAt(environment, replica) });
        samples.add('cpu', await serverCpu(environment, work));
      }
    } finally {
      await replica.stop();
    }
    return {
      rows: [atMost('writer-cpu-with-reader', samples.ratio('cpu', 'cpu copy'), 1.6)],
      figures: [
        `${rows.toLocaleString('en')} narrow rows; what the writer sends to the replica is in it. Median (least to most) of ${samples.of('cpu').length} rounds.`,
        '',
        table(
          ['what', 'seconds of CPU'],
          [
            ['the writer, whole archive', samples.show('cpu')],
            ["the writer, one `COPY … TO '/dev/null'`", samples.show('cpu copy')],
          ],
        ),
      ].join('\n'),
    };
  },
};

/** The step `verify` with its tables read at the replica, as `database.verifyEndpoint` has it. */
function verifyAt({ open, s3, stack }: Environment, { host, port, authorityFile }: Replica) {
  const tls = { ca: readFileSync(authorityFile, 'utf8') };
  const login = { database: BENCH.database, user: 'archiver_read', password: BENCH.password };
  const atReplica = (): Connection =>
    connect({ host, port, ...login, tls, applicationName: 'bench' }, () => undefined);
  return async (partitionId: number, segmentNumber: number): Promise<unknown> => {
    const connection = open('archiver_read');
    try {
      return await verifySegment(partitionId, segmentNumber, {
        database: verifyDatabase(connection, { open: atReplica, isVerifyEndpoint: true }),
        store: s3ObjectStore(s3, BENCH.bucket, stack.s3.region),
        clock: systemClock(),
        log: silentLog,
      });
    } finally {
      await connection.end();
    }
  };
}
