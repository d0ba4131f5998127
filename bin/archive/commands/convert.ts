import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { counted } from '../../../core/counted.ts';
import { COPY_WRITER, copyDisk } from '../../../adapters/parquet/disk.ts';
import { s3CopyStore } from '../../../adapters/s3/copy-store.ts';
import { readManifest, type StoredManifest } from '../../../core/archive-store.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { find, type ArchiveQuery } from '../../../core/audit/find.ts';
import { asSentence } from '../../../core/in-one-line.ts';
import { noArchiveOf } from '../../../core/audit/known-sets.ts';
import { convert, type ConvertPorts } from '../../../core/query/convert.ts';
import { latestCopy } from '../../../core/query/copy-manifest.ts';
import { parseTableName } from '../../../core/table-name.ts';
import type { Command, CommandContext } from '../command.ts';
import { temporaryFolder } from '../local-folder.ts';
import { convertWatcher } from '../terminal/watchers.ts';

function portsOf({ s3, bucket, region, clock, log }: CommandContext, directory: string): ConvertPorts {
  return {
    store: s3CopyStore(s3, bucket, region, directory),
    disk: copyDisk(directory, COPY_WRITER),
    clock,
    log,
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
    if (options.set !== undefined && archives.length + unreadable.length === 0)
      throw new ArchiverError('InvalidInput', await noArchiveOf(query, store));
    const [broken] = unreadable;
    if (broken !== undefined)
      throw new ArchiverError('ManifestInvalid', `${broken.manifestKey}: ${broken.problem}`);
    for (const { manifestKey, versionId } of archives)
      found.push(await readManifest(store, manifestKey, versionId));
  }
  if (found.length === 0 && Object.keys(range).length > 0)
    throw new ArchiverError('InvalidInput', await noArchiveOf(range, store));
  return found;
}

/** What became of one archive. */
interface ConvertResult {
  readonly manifest: string;
  readonly result: string;
  readonly textColumns: readonly { readonly name: string; readonly reason: string }[];
  readonly error?: ArchiverError;
}

async function convertOne(
  stored: StoredManifest,
  options: CommandContext['options'],
  ports: ConvertPorts,
): Promise<ConvertResult> {
  const manifest = stored.object.key;
  const rebuild = options.rebuild === true;
  const { bytes: text, rows } = stored.manifest.contents;
  try {
    if (options['dry-run'] === true) {
      const isThere = !rebuild && (await latestCopy(stored, ports.store)) !== null;
      const would = `would be converted: ${counted(rows, 'row')}, ${counted(text, 'byte')} of text`;
      return { manifest, result: isThere ? 'has a copy' : would, textColumns: [] };
    }
    const { kind, copy } = await convert(stored, { rebuild }, ports);
    const { contents, columns } = copy.manifest;
    return {
      manifest,
      result: `${kind === 'there' ? 'has a copy' : 'converted'}: ${counted(contents.rows, 'row')}, ${counted(contents.bytes, 'byte')} for ${String(contents.textBytes)} of text`,
      textColumns: columns.flatMap(({ name, fallback }) =>
        fallback === null ? [] : [{ name, reason: fallback }],
      ),
    };
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    const result = `${asSentence(`${error.code}: ${error.message}`)} ${error.hint}`;
    return { manifest, result, textColumns: [], error };
  }
}

async function convertAll(context: CommandContext, ports: ConvertPorts): Promise<ConvertResult[]> {
  const { options, progress } = context;
  const archives = await archivesOf(context, ports);
  progress.watch(convertWatcher);
  for (const { manifest } of archives) progress.meter.expect(2 * manifest.contents.bytes);
  const results: ConvertResult[] = [];
  for (const stored of archives) results.push(await convertOne(stored, options, ports));
  return results;
}

/** Makes Parquet copies of archives. */
export const CONVERT: Command = {
  arguments: '[manifest-key]',
  does: 'makes a Parquet copy of each archive that has none, proven equal to its text; of the sets with "query": true, or those named',
  options: ['manifest-version', 'set', 'from', 'to', 'database', 'rebuild', 'dry-run', 'directory'],
  combinations: {
    withArgument: ['manifest-version'],
    withoutArgument: ['set', 'from', 'to', 'database'],
  },
  examples: ['convert --dry-run', 'convert --set public.flights --from 2021-01 --to 2021-07'],
  needs: { config: 'if there', bucket: true },
  takesLong: true,
  execute: async (context) => {
    const { options, show } = context;
    const directory = temporaryFolder(options.directory);
    const results = await convertAll(context, portsOf(context, directory)).finally(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    show(results, (say) => {
      if (results.length === 0) say('there is no archive of these sets and this range');
      for (const { manifest, result, textColumns } of results) {
        say(`${manifest}  ${result}`);
        for (const { name, reason } of textColumns)
          say(`  column ${JSON.stringify(name)} is text: ${reason}`);
      }
    });
    const failed = results.filter(({ error }) => error !== undefined);
    const [only] = failed;
    if (results.length === 1 && only?.error !== undefined) throw only.error;
    if (failed.length > 0)
      throw new ArchiverError('CopyRefused', `not converted: ${counted(failed.length, 'archive')}`);
  },
};
