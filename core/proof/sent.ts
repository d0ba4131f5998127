import { counted } from '../counted.ts';
import { ArchiverError } from '../errors.ts';
import type { LineDigest } from './line-digest.ts';

/** The text of a segment that was sent to S3, and the rows that the server said it had copied. */
export interface Sent {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly said: number;
}

/**
 * What was sent, if all who saw it agree: the digest of what was handed to the upload, the server's tag and the lengths of
 * its messages (`said`), and the bytes that the upload took. Else nothing is recorded, and another attempt has another key:
 * `DatabaseUnavailable`, `ObjectStoreUnavailable`.
 */
export function agreed(
  key: string,
  { rows, bytes, sha256, complete }: LineDigest,
  said: { readonly rows: number; readonly bytes: number } | undefined,
  uploadedBytes: number,
): Sent {
  if (said?.rows !== rows || said.bytes !== bytes) {
    const copied =
      said === undefined ? 'nothing' : `${counted(said.rows, 'row')} and ${counted(said.bytes, 'byte')}`;
    throw new ArchiverError(
      'DatabaseUnavailable',
      `${key} got ${counted(rows, 'row')} and ${counted(bytes, 'byte')}, where the server copied ${copied}`,
    );
  }
  if (!complete) {
    throw new ArchiverError(
      'DatabaseUnavailable',
      `${key} got ${counted(bytes, 'byte')} that end within a row`,
    );
  }
  if (uploadedBytes !== bytes) {
    throw new ArchiverError(
      'ObjectStoreUnavailable',
      `${key} got ${uploadedBytes} of ${counted(bytes, 'byte')}`,
    );
  }
  return { rows, bytes, sha256, said: said.rows };
}
