import { createHash } from 'node:crypto';
import { counted } from '../counted.ts';
import type { StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { copiesPrefix } from '../keys.ts';
import { readText, type ObjectStore } from '../ports.ts';
import { copyManifests, locationOf, parseCopyManifest, type CopyManifest } from './copy-manifest.ts';

/** Something about a copy that is not as its manifest says. */
interface CopyProblem {
  readonly key: string;
  readonly problem: string;
}

/**
 * What is wrong with the Parquet copies of an archive: manifests that cannot be read or are of something else, objects
 * that are gone, written over or of another length, and what an attempt left that was killed before the latest copy was
 * made. A copy that is being made now is not looked at.
 *
 * @param read reads every object, and compares its SHA-256
 */
export async function copyProblems(
  { manifest, object: archive }: StoredManifest,
  store: ObjectStore,
  read: boolean,
): Promise<CopyProblem[]> {
  const found = await copyManifests(manifest, store);
  const problems: CopyProblem[] = [];
  const prefix = copiesPrefix(locationOf(manifest));
  const current = new Map((await store.list(prefix)).map((object) => [object.key, object]));
  const named = new Set<string>();
  const givenUp = new Set<string>();
  for (const { key, versionId } of found) {
    try {
      const copy = parseCopyManifest(await readText(store, { key, versionId }), key);
      if (copy.archiveId !== manifest.archiveId || copy.madeFrom.key !== archive.key) {
        problems.push({ key, problem: 'it is of another archive' });
      }
      for (const generation of copy.givenUp) givenUp.add(generation);
      for (const object of copy.objects) {
        named.add(object.key);
        const is = current.get(object.key);
        if (is?.versionId !== object.versionId) {
          const what =
            is === undefined ? 'it has no current version' : `its current version is ${is.versionId}`;
          problems.push({ key: object.key, problem: `${what}, not ${object.versionId}` });
        } else if (is.bytes !== object.bytes) {
          problems.push({
            key: object.key,
            problem: `it has ${counted(is.bytes, 'byte')}, not ${object.bytes}`,
          });
        } else if (read) problems.push(...(await bytesProblem(object, store)));
      }
    } catch (error) {
      if (!(error instanceof ArchiverError) || error.code !== 'CopyInvalid') throw error;
      problems.push({ key, problem: error.message });
    }
  }
  const latest = generationIn(found.at(-1)?.key ?? '');
  for (const key of current.keys()) {
    const generation = key.slice(prefix.length).split('/')[0] ?? '';
    if (!named.has(key) && generation < latest && !givenUp.has(generation)) {
      const problem = 'no manifest of a copy names it: an attempt left it that was killed; it may be deleted';
      problems.push({ key, problem });
    }
  }
  return problems;
}

/** The generation that the key of a copy's manifest names. */
const generationIn = (key: string): string => /\.([^./]+)\.json$/.exec(key)?.[1] ?? '';

async function bytesProblem(
  { key, versionId, sha256 }: CopyManifest['objects'][number],
  store: ObjectStore,
): Promise<CopyProblem[]> {
  const hash = createHash('sha256');
  for await (const chunk of store.read(key, versionId)) hash.update(chunk);
  const is = hash.digest('hex');
  return is === sha256 ? [] : [{ key, problem: `SHA-256 ${is}, not ${sha256}` }];
}
