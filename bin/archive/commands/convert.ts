import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyDisk } from '../../../adapters/parquet/disk.ts';
import { s3CopyStore } from '../../../adapters/s3/copy-store.ts';
import { readManifest, type StoredManifest } from '../../../core/archive-store.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { find, type ArchiveQuery } from '../../../core/find.ts';
import { convert, type ConvertPorts } from '../../../core/query/convert.ts';
import { latestCopy } from '../../../core/query/copy-manifest.ts';
import { parseTableName } from '../../../core/table-name.ts';
import type { Command, CommandContext } from '../command.ts';

/** Who wrote a file, as its footer says. */
const CREATED_BY = 'partition-archiver 0.1.0 (hyparquet-writer 0.17.0)';

function portsOf({ s3, bucket, region, clock, log, options }: CommandContext): ConvertPorts {
  const directory =
    options.directory ?? join(tmpdir(), `partition-archiver-${randomBytes(6).toString('hex')}`);
  return {
    store: s3CopyStore(s3, bucket, region, directory),
    disk: copyDisk(directory, CREATED_BY),
    ...{ clock, log },
    unique: () => randomBytes(4).toString('hex'),
  };
}

/** The archives that are meant: the one that is named, those of the sets that are named, or of all sets with `query`. */
async function archivesOf(context: CommandContext, { store }: ConvertPorts): Promise<StoredManifest[]> {
  const { args, options, config } = context;
  const [key] = args;
  if (key !== undefined) return [await readManifest(store, key, options['manifest-version'])];
  const { from, to, database } = options;
  const range = {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(database !== undefined && { database }),
  };
  const sets = options.set?.map(parseTableName) ?? config.partitionSets.filter(({ query }) => query);
  if (sets.length === 0) {
    throw new ArchiverError(
      'InvalidInput',
      'name an archive or a --set; no configured set has "query": true',
    );
  }
  const found: StoredManifest[] = [];
  for (const { schema, table } of sets) {
    const query: ArchiveQuery = { ...range, schema, table };
    const { archives, unreadable } = await find(query, { store });
    const [broken] = unreadable;
    if (broken !== undefined)
      throw new ArchiverError('ManifestInvalid', `${broken.manifestKey}: ${broken.problem}`);
    for (const { manifestKey, versionId } of archives)
      found.push(await readManifest(store, manifestKey, versionId));
  }
  return found;
}

/** Makes Parquet copies of archives. */
export const CONVERT: Command = {
  usage: `convert [<manifest key> [--manifest-version <id>]] [--set <schema.table>] [--from <date>] [--to <date>] [--database <name>]
      [--rebuild] [--dry-run] [--directory <folder>]`,
  does: 'makes a Parquet copy of each archive that has none, proven equal to its text; of the sets with "query": true, unless told which; --rebuild makes a new one',
  takes: 1,
  optional: 1,
  needs: { config: 'if there', bucket: true },
  takesLong: true,
  execute: async (context) => {
    const { options, say } = context;
    const ports = portsOf(context);
    const archives = await archivesOf(context, ports);
    if (archives.length === 0) say('there is no archive of these sets and this range');
    const failed: string[] = [];
    for (const stored of archives) {
      const { key } = stored.object;
      const { bytes: text, rows } = stored.manifest.contents;
      try {
        if (options['dry-run'] === true) {
          const there = options.rebuild !== true && (await latestCopy(stored, ports.store)) !== null;
          say(
            `${key}  ${there ? 'has a copy' : `would be converted: ${String(rows)} rows, ${String(text)} bytes of text`}`,
          );
          continue;
        }
        const { kind, copy } = await convert(stored, { rebuild: options.rebuild === true }, ports);
        const { contents, columns } = copy.manifest;
        const asText = columns.filter(({ fallback }) => fallback !== null);
        say(
          `${key}  ${kind === 'there' ? 'has a copy' : 'converted'}: ${String(contents.rows)} rows, ${String(contents.bytes)} bytes for ${String(contents.textBytes)} of text`,
        );
        for (const { name, fallback } of asText)
          say(`  column ${JSON.stringify(name)} is text: ${fallback ?? ''}`);
      } catch (error) {
        if (!(error instanceof ArchiverError)) throw error;
        if (archives.length === 1) throw error;
        failed.push(key);
        say(`${key}  ${error.code}: ${error.message}. ${error.hint}`);
      }
    }
    if (failed.length > 0)
      throw new ArchiverError('CopyRefused', `${failed.length} archives were not converted`);
  },
};
