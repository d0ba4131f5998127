import type { Environment } from './environment.ts';
import { shell } from './shell.ts';
import type { Detached } from './tables.ts';

const nameOf = ({ schema, table }: Detached): string => `${schema}.${table}`;

/**
 * The blog's recipe as a person types it: one export call, the rows counted in S3 and in the table, the DDL dumped and
 * uploaded. The drop comes apart, so that more can be proven before it.
 */
export async function exportByHand(environment: Environment, partition: Detached): Promise<void> {
  const table = nameOf(partition);
  await shell(
    environment,
    `psql -XqAtc "select * from aws_s3.query_export_to_s3('select * from ${table}',
       aws_commons.create_s3_uri('$BUCKET', 'by-hand/data', '$REGION'), options := 'format text')"
     in_s3=$(s3 by-hand/data | wc -l)
     in_table=$(psql -XqAtc "select count(*) from ${table}")
     [ "$in_s3" = "$in_table" ]
     pg_dump -s -t ${table} > by-hand.sql
     s3 by-hand/ddl -T by-hand.sql`,
  );
}

/** Proves an export by hand: imports it into an unlogged table, and takes the difference both ways. */
export async function proveByHand(environment: Environment, partition: Detached): Promise<void> {
  const table = nameOf(partition);
  await shell(
    environment,
    `psql -XqAt -v ON_ERROR_STOP=1 -c "create unlogged table app.by_hand (like ${table})" \\
       -c "select aws_s3.table_import_from_s3('app.by_hand', '', '(format text)',
             aws_commons.create_s3_uri('$BUCKET', 'by-hand/data', '$REGION'))" >/dev/null
     different=$(psql -XqAtc "select count(*) from (
       (table ${table} except all table app.by_hand) union all (table app.by_hand except all table ${table})) d")
     [ "$different" = 0 ]
     psql -Xqc "drop table app.by_hand"`,
  );
}

/** The end of the recipe. */
export async function dropByHand(environment: Environment, partition: Detached): Promise<void> {
  await shell(environment, `psql -Xqc "drop table ${nameOf(partition)} cascade"`);
}

/** What others do; none of them holds a lock from the dump to the drop. The drop itself is left out of their time. */
export const PEERS = [
  {
    name: 'pg_dump, SHA-512 (dump_partition.py)',
    proves:
      'pg_dump ended with status 0; the checksum of the file is written down, and compared with nothing',
    script: (table: string) =>
      `pg_dump -Fc -t ${table} -f peer.dump; sha512sum peer.dump > peer.hash; rm peer.dump`,
  },
  {
    name: 'pg_dump \\| gzip \\| upload',
    proves: 'every program of the pipe ended with status 0',
    script: (table: string) =>
      // curl cannot send a stream to S3, which wants to know the length.
      `pg_dump -t ${table} | gzip > peer.gz; s3 by-hand/peer.gz -T peer.gz; rm peer.gz`,
  },
  {
    name: 'COPY \\| upload',
    proves: 'psql and the upload ended with status 0',
    script: (table: string) =>
      `psql -Xqc "copy ${table} to stdout" > peer.tsv; s3 by-hand/peer.tsv -T peer.tsv; rm peer.tsv`,
  },
] as const;

/** Runs one of the peers. */
export async function runPeer(
  environment: Environment,
  peer: (typeof PEERS)[number],
  partition: Detached,
): Promise<void> {
  await shell(environment, peer.script(nameOf(partition)));
}
