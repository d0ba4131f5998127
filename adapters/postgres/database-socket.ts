import { BlockList, isIPv6, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { ArchiverError } from '../../core/errors.ts';
import { CopyDataJoiner } from './copy-data.ts';
import { CopyReading } from './copy-reading.ts';

/**
 * A connection as the driver has it. The rows of a COPY are taken out of it where `readCopy` asks for them; else the driver
 * gets them together instead of one by one.
 */
export class DatabaseSocket extends Duplex {
  readonly #socket: Socket;
  readonly #joiner = new CopyDataJoiner();
  #copy: CopyReading | undefined;
  #hasEnded = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      if (this.#copy !== undefined) this.#copy.arrive(bytes);
      else this.#pass(bytes);
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      // The driver gets the end after the bytes that the COPY's reader still holds: among them may be the server's reason.
      if (this.#copy === undefined) this.push(null);
      else this.#copy.close();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy(this.writableEnded ? undefined : hungUp()));
  }

  /**
   * Takes the rows of the next statement, a COPY that is sent as a simple query, away from the driver. `DatabaseUnavailable`
   * where the connection is in the middle of something else.
   */
  readCopy(): CopyReading {
    if (this.#copy !== undefined || !this.#joiner.isBetweenMessages) {
      throw new ArchiverError('DatabaseUnavailable', 'the connection is busy with another statement');
    }
    this.#copy = new CopyReading({
      pause: () => {
        this.#socket.pause();
      },
      resume: () => {
        this.#socket.resume();
      },
      pass: (bytes) => {
        this.#pass(bytes);
      },
      release: () => {
        this.#copy = undefined;
        if (this.#hasEnded) this.push(null);
        else this.#socket.resume();
      },
    });
    return this.#copy;
  }

  #pass(bytes: Buffer): void {
    const joined = this.#joiner.join(bytes);
    if (joined.length > 0 && !this.push(joined)) this.#socket.pause();
  }

  /** Whether what the server sends cannot be changed on the way: by TLS, or since it never leaves this machine. */
  get isPrivate(): boolean {
    return this.#socket instanceof TLSSocket || isLoopback(this.#socket.remoteAddress);
  }

  /** The driver says goodbye only to an open socket. */
  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open';
  }

  override _read(): void {
    // While a COPY is read, its reader says when more may come.
    if (this.#copy === undefined) this.#socket.resume();
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#copy?.close();
    this.#socket.destroy();
    done(error);
  }
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether an address is one of this machine only; IPv4 addresses may be written as IPv6. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/**
 * A server that hangs up before the driver has said goodbye. It has to be an error: a close without one, during the
 * login, is a reason for the driver (postgres 3.4.9) to log in again, at once and for ever, and the caller is never
 * answered.
 */
export function hungUp(): Error {
  return Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' });
}
