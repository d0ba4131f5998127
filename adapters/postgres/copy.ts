import { counted } from '../../core/counted.ts';
import { ArchiverError } from '../../core/errors.ts';
import {
  inTransaction,
  socketOf,
  type Connection,
  type Transaction,
  type TransactionMode,
} from './connect.ts';
import type { CopyReading } from './copy-reading.ts';
import { translate } from './errors.ts';

/** The rows of a COPY as text, piece by piece. */
export interface CopyText extends AsyncIterable<Buffer> {
  /** After the last row: rows by the server's tag (`COPY n`), and bytes by the lengths of its messages. */
  readonly said?: () => { readonly rows: number; readonly bytes: number };
}

/** Streams the rows of a COPY to `read`; `copyOut` is one, and `copyOutByDriver` another, which shares no code with it. */
export type CopyOut = <T>(
  connection: Connection,
  doing: string,
  statement: (transaction: Transaction) => Promise<string>,
  read: (rows: CopyText) => Promise<T>,
  mode?: TransactionMode,
) => Promise<T>;

/**
 * Streams the COPY text of a COPY ... TO STDOUT to `read`, in a transaction on a connection of its own, which is to be
 * ended afterwards. `statement` prepares the transaction and returns the COPY. A piece of the text is overwritten once the
 * next one is asked for.
 *
 * The text ends only once the server has named as many rows as came (`COPY n`), and nothing counts that `read` returns
 * before. Where `read` gives up half way, the connection is cut, which rolls back.
 */
export const copyOut: CopyOut = async (connection, doing, statement, read, mode) => {
  let failure: { readonly error: unknown } | undefined;
  try {
    return await inTransaction(
      connection,
      doing,
      async (transaction) => {
        const text = await statement(transaction);
        const socket = socketOf(connection);
        try {
          const copy = new Copy(
            socket.readCopy(),
            // Before `read` meets it: what writes to S3 would take an error of this connection for one of its own.
            transaction.unsafe(text).catch((error: unknown) => {
              throw translate(error, doing);
            }),
          );
          await copy.begin();
          const answer = await read(copy);
          if (!copy.isWhole)
            throw new ArchiverError('DatabaseUnavailable', `${doing}: the rows were not read to their end`);
          return answer;
        } catch (error) {
          failure = { error };
          // The server would continue sending to a socket without a reader.
          void connection.end({ timeout: 0 }).then(() => socket.destroy());
          throw error;
        }
      },
      mode,
    );
  } catch (error) {
    throw translate(failure === undefined ? error : failure.error, doing);
  }
};

/** What the driver says of a statement. */
interface Answer {
  readonly command: string;
  readonly count: number;
}

/** A COPY that is under way: its text, once `begin` has waited for the first row. */
export class Copy implements CopyText {
  readonly #reading: CopyReading;
  readonly #text: AsyncGenerator<Buffer, void>;
  /** Settled and never rejected, since it may fail before it is awaited. */
  readonly #answer: Promise<{ readonly answer: Answer } | { readonly error: unknown }>;
  #first: IteratorResult<Buffer, void> | undefined;
  #whole = false;
  #tag = Number.NaN;

  constructor(reading: CopyReading, query: PromiseLike<unknown>) {
    this.#reading = reading;
    this.#text = reading.text();
    this.#answer = Promise.resolve(query).then(
      (answer) => ({ answer: answer as Answer }),
      (error: unknown) => ({ error }),
    );
  }

  /** Whether all rows were read. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /** Waits for the first row; throws where the COPY fails before. */
  async begin(): Promise<void> {
    this.#first = await this.#text.next();
    if (this.#first.done === true) await this.#end();
  }

  said(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#tag, bytes: this.#reading.bytes };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    let next = this.#first;
    while (next?.done === false) {
      yield next.value;
      next = await this.#text.next();
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    const said = await this.#answer;
    if ('error' in said) throw said.error;
    const { command, count } = said.answer;
    if (!this.#reading.isOver || command !== 'COPY' || count !== this.#reading.rows) {
      throw new ArchiverError(
        'DatabaseUnavailable',
        `the server said ${command} ${count} after ${counted(this.#reading.rows, 'row')} of a COPY`,
      );
    }
    this.#whole = true;
    this.#tag = count;
  }
}
