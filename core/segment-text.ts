import type { Compression } from './config/partition-set.ts';
import type { CompressedText, ObjectStore, ObjectVersion } from './ports.ts';

/** A segment as a manifest has it, as far as its text is read. */
interface SegmentObjects {
  /** Of the text. */
  readonly bytes: number;
  readonly compression?: Compression | undefined;
  /** In the order of their bytes. A compressed segment has at most one. */
  readonly objects: readonly ObjectVersion[];
}

/** How the objects of a segment are read; `undefined` for plain text. */
export const compressedText = ({
  compression,
  bytes,
}: Pick<SegmentObjects, 'bytes' | 'compression'>): CompressedText | undefined =>
  compression === undefined ? undefined : { compression, bytes };

/** The COPY text of a segment, from the versions that are named. Errors are those of `ObjectStore.read`. */
export async function* readSegmentText(segment: SegmentObjects, store: ObjectStore): AsyncGenerator<Buffer> {
  const text = compressedText(segment);
  for (const { key, versionId } of segment.objects) yield* store.read(key, versionId, text);
}
