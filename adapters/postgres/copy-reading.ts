import { CopyFrames } from './copy-frames.ts';

/** The connection that a COPY is read from. */
export interface CopySource {
  /** Lets the next bytes come, and holds them back. */
  readonly resume: () => void;
  readonly pause: () => void;
  /** Hands bytes to the driver. */
  readonly pass: (bytes: Buffer) => void;
  /** The statement is over, or the connection: everything is the driver's again. */
  readonly release: () => void;
}

/**
 * One COPY as it is read from a connection. The rows never reach the driver, for which it looks like any statement
 * without rows: it has the tag, and the error where there is one.
 */
export class CopyReading {
  readonly #source: CopySource;
  readonly #frames: CopyFrames;
  readonly #arrived: Buffer[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(source: CopySource, frames = new CopyFrames(source.pass)) {
    this.#source = source;
    this.#frames = frames;
  }

  /** Rows so far. */
  get rows(): number {
    return this.#frames.rows;
  }

  /** Bytes of the rows so far, by the lengths of their messages. */
  get bytes(): number {
    return this.#frames.bytes;
  }

  /** Whether the server has said everything that belongs to the statement. */
  get isOver(): boolean {
    return this.#frames.expected === 'over';
  }

  /** Bytes of the connection. No more of them come before these are read. */
  arrive(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#source.pause();
    this.#wake();
  }

  /** No more bytes come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * The COPY text, piece by piece; a piece is overwritten once the next one is asked for. It ends where the statement
   * does, or the connection: `isOver` and the driver's answer tell which.
   */
  async *text(): AsyncGenerator<Buffer, void> {
    while (!this.isOver) {
      const bytes = this.#arrived.shift();
      if (bytes !== undefined) yield* this.#frames.take(bytes);
      else if (this.#closed) break;
      else await this.#more();
    }
    for (const bytes of this.#arrived.splice(0)) this.#source.pass(bytes);
    this.#source.release();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#source.resume();
    });
  }
}
