import { Readable } from 'node:stream';
import { inTransaction, type Transaction } from './connect.ts';
import type { CopyOut } from './copy.ts';
import { translate } from './errors.ts';

/**
 * The second reader: the driver's own stream of a COPY, which knows no tag.
 *
 * The driver (postgres 3.4.9) pauses its socket while `read` is behind and resumes it when the stream is asked for
 * more. A stream whose end has arrived is never asked again: where the last rows came together with the end, the socket
 * stayed paused, and the COMMIT waited for an answer for ever. So it is resumed here. And where `read` gives up half
 * way, a ROLLBACK would wait behind rows without a reader: so the connection is cut, which rolls back as well.
 */
export const copyOutByDriver: CopyOut = async (connection, doing, statement, read, mode) => {
  let failure: { readonly error: unknown } | undefined;
  try {
    const copying = async (transaction: Transaction) => {
      const rows = await startCopy(transaction, await statement(transaction));
      try {
        const answer = await read(rows);
        resumeSocket(rows);
        return answer;
      } catch (error) {
        failure = { error };
        // A paused socket would not notice that it was closed, and the server would continue sending.
        void connection.end({ timeout: 0 }).then(() => {
          resumeSocket(rows);
        });
        throw error;
      }
    };
    return await inTransaction(connection, doing, copying, mode);
  } catch (error) {
    throw failure === undefined ? error : translate(failure.error, doing);
  }
};

/**
 * Begins the COPY. Where it fails half way, the driver destroys the stream with the error, maybe before anything that
 * awaits it has had a chance to listen, which would end the whole process: so the listener is there first.
 */
function startCopy(transaction: Transaction, statement: string): Promise<Readable> {
  const query = transaction.unsafe(statement);
  // The driver resolves twice: with the stream when the COPY begins, and with its result when it is over.
  const driver = query as unknown as { resolve: (answer: unknown) => void };
  const { resolve } = driver;
  driver.resolve = (answer) => {
    if (answer instanceof Readable) answer.on('error', () => undefined);
    resolve(answer);
  };
  return query.readable();
}

/** What the driver does when the stream is asked for more. */
function resumeSocket(rows: Readable): void {
  try {
    rows._read(0);
  } catch {
    // The connection is gone, and its socket with it: there is nothing to resume.
  }
}
