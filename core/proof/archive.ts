import { NOT_ENDED, NOT_UTF8, type Verdict } from './compare.ts';
import { LineDigester } from './line-digest.ts';
import { Utf8Check } from './utf8.ts';

/**
 * Digests the COPY text of an archive in constant memory, without a table to compare it with: the caller compares the
 * digest with what was sent. A mismatch where it is no whole COPY text, or one that COPY would not read back.
 * An exception means that no verdict was reached.
 */
export async function digestArchive(archive: AsyncIterable<Buffer>): Promise<Verdict> {
  const utf8 = new Utf8Check();
  const digester = new LineDigester();
  for await (const chunk of archive) {
    utf8.update(chunk);
    digester.update(chunk);
  }
  const digest = digester.digest();
  if (!digest.complete) return { kind: 'mismatch', differences: [NOT_ENDED] };
  if (utf8.valid) return { kind: 'match', digest, orderDiffers: false };
  return { kind: 'mismatch', differences: [NOT_UTF8] };
}
