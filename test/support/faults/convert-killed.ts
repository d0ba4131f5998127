/** Converts an archive and kills itself before the manifest of the copy: `convert-killed.ts <bucket> <manifest> <folder>`. */
import { S3Client } from '@aws-sdk/client-s3';
import { COPY_WRITER, copyDisk } from '../../../adapters/parquet/disk.ts';
import { s3CopyStore } from '../../../adapters/s3/copy-store.ts';
import { readManifest } from '../../../core/archive-store.ts';
import { convert } from '../../../core/query/convert.ts';
import { silentLog } from '../../../core/ports.ts';

const [bucket = '', key = '', directory = ''] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
const store = s3CopyStore(client, bucket, process.env['AWS_REGION'] ?? '', directory);
const create = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('it is dead');
};
await convert(
  await readManifest(store, key),
  { rebuild: true },
  {
    store: { ...store, create },
    disk: copyDisk(directory, COPY_WRITER),
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: silentLog,
    unique: () => 'killed',
  },
);
