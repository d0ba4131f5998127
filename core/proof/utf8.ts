import { isUtf8 } from 'node:buffer';

const MOST_OF_A_CHARACTER = 3;

/**
 * Whether bytes that stream by are UTF-8, which is all that COPY reads back. PostgreSQL does not look while it writes where
 * the database is said to be in UTF-8 itself, and it is only said where it was relabelled, or an extension was careless.
 */
export class Utf8Check {
  #valid = true;
  /** The beginning of a character that was cut in two. */
  #cut: Buffer = Buffer.alloc(0);

  update(chunk: Buffer): void {
    if (!this.#valid) return;
    const bytes = this.#cut.length === 0 ? chunk : Buffer.concat([this.#cut, chunk]);
    const end = bytes.length - cutOff(bytes);
    this.#valid = isUtf8(bytes.subarray(0, end));
    this.#cut = Buffer.from(bytes.subarray(end));
  }

  /** Of all bytes so far; an incomplete character is invalid. */
  get valid(): boolean {
    return this.#valid && this.#cut.length === 0;
  }
}

/** How many bytes at the end are the beginning of a character that may be whole with what follows. */
function cutOff(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(MOST_OF_A_CHARACTER, bytes.length); back += 1) {
    const byte = bytes.readUInt8(bytes.length - back);
    // 10xxxxxx continues with a character, 110xxxxx, 1110xxxx and 11110xxx begin one of 2, 3 and 4 bytes.
    if (byte >> 6 === 0b10) continue;
    const length = byte >> 5 === 0b110 ? 2 : byte >> 4 === 0b1110 ? 3 : byte >> 3 === 0b11110 ? 4 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
