const ZERO = 0x30;

/** Bytes of COPY text that are being written. It grows for a row of any length, and is used again. */
export class TextBuffer {
  bytes: Buffer;
  at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** Makes room for so many bytes more. */
  room(length: number): void {
    if (this.at + length <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + length));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  /** A string of ASCII. */
  ascii(text: string): void {
    this.room(text.length);
    this.at += this.bytes.write(text, this.at, 'latin1');
  }

  /** A whole number of at most 53 bits. Room for 24 bytes must be there. */
  integer(value: number): void {
    let rest = value;
    if (rest < 0) {
      this.bytes[this.at++] = 0x2d;
      rest = -rest;
    }
    if (rest >= 1e9) {
      const high = Math.floor(rest / 1e9);
      this.integer(high);
      this.padded(rest - high * 1e9, 9);
      return;
    }
    let digits = 1;
    for (let power = 10; rest >= power; power *= 10) digits += 1;
    this.padded(rest, digits);
  }

  /** A whole number from 0 to below 10 ^ `digits`, with zeros before it. `digits` is at most 9. */
  padded(value: number, digits: number): void {
    const { bytes } = this;
    let rest = value | 0;
    for (let index = this.at + digits - 1; index >= this.at; index -= 1) {
      const tenth = (rest / 10) | 0;
      bytes[index] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.at += digits;
  }
}
