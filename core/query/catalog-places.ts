import type { ArchiveStore } from '../archive-store.ts';
import { parseBound } from '../bounds.ts';
import { ArchiverError } from '../errors.ts';
import type { Manifest } from '../manifest.ts';
import type { CopyManifest } from './copy-manifest.ts';

/** Where the range of an archive lies in its set, as a text; empty for a bound that cannot be compared. */
export const positionOf = ({ partition: { controlKind, lowerBound } }: Manifest): string =>
  String(parseBound(controlKind, lowerBound) ?? '');

/** Of two positions of archives of one set. One that cannot be compared lies before all others. */
export const isBefore = (a: string, b: string): boolean =>
  (parseBound('id', a) ?? -Infinity) < (parseBound('id', b) ?? -Infinity);

/** `<database>/<schema>/<table>/` */
export const prefixIn = (manifestKey: string): string => `${manifestKey.split('/').slice(0, 3).join('/')}/`;

/** `<database>/<schema>/<table>/<period>/manifest/…` */
export const periodIn = (manifestKey: string): string => manifestKey.split('/')[3] ?? '';

/** Engines read whatever lies in the folder of a partition: these are the objects of the copy, and no others; `CopyInvalid` otherwise. */
export async function requireExact(
  prefix: string,
  { objects }: CopyManifest,
  store: ArchiveStore,
): Promise<void> {
  const found = new Map((await store.list(prefix)).map(({ key, versionId }) => [key, versionId]));
  const wrong = objects.find(({ key, versionId }) => found.get(key) !== versionId);
  if (wrong !== undefined) throw new ArchiverError('CopyInvalid', `${wrong.key} is gone or was written over`);
  if (found.size > objects.length) {
    throw new ArchiverError('CopyInvalid', `${prefix} has objects that the manifest does not name`);
  }
}
