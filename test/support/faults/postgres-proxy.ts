/**
 * A proxy that understands as much of PostgreSQL's protocol as it takes to stop before and after each statement. It
 * takes plain connections on loopback and continues to the pooler by TLS.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Gate, type FaultProxy, type Point, type Verdict } from './gate.ts';

/** Where the connections go. */
export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that vouches for the target. */
  readonly ca: string;
}

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Message types: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const [QUERY, PARSE, TERMINATE] = ['Q', 'P', 'X'];
const [READY_FOR_QUERY, COMMAND_COMPLETE, ERROR_RESPONSE] = ['Z', 'C', 'E'];

/** Starts the proxy on a free port. */
export async function startPostgresProxy(target: PostgresTarget): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    // Each small message at once: waiting for more to send with it costs 40 ms a time.
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const proxy = { gate: new Gate() };
  const server = createServer((client) => {
    track(client);
    void serve(client, target, track, proxy.gate).catch(() => {
      client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

async function serve(
  client: Socket,
  target: PostgresTarget,
  track: (socket: Socket) => Socket,
  gate: Gate,
): Promise<void> {
  const fromClient = readExactly(client);
  const startup = await fromClient.startup();
  const session = new Session(gate);
  const upstream = track(await dial(target, track));
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };
  client.once('close', cut);
  if ((await session.begin(`connect as ${userOf(startup)}`)).kind !== 'pass') {
    cut();
    return;
  }
  upstream.write(startup);
  const fromServer = readExactly(upstream);
  const onward = async (): Promise<void> => {
    for await (const message of fromClient.messages()) {
      if ((await session.fromClient(message)).kind !== 'pass') {
        cut();
        return;
      }
      upstream.write(message);
      if (typeOf(message) === TERMINATE) break;
    }
    // The driver waits for the other side to hang up.
    client.end();
    upstream.end();
  };
  const back = async (): Promise<void> => {
    try {
      for await (const message of fromServer.messages()) {
        const answer = await session.fromServer(message);
        if (answer === 'cut') {
          cut();
          return;
        }
        for (const released of answer) client.write(released);
      }
    } finally {
      // Once it has the server's last words, if there were any.
      client.destroySoon();
    }
  };
  await Promise.all([onward(), back()]);
}

async function dial({ host, port, ca }: PostgresTarget, track: (socket: Socket) => Socket): Promise<Socket> {
  const plain = track(connect(port, host));
  await once(plain, 'connect');
  plain.write(SSL_REQUEST);
  const [answer] = (await once(plain, 'data')) as [Buffer];
  if (answer.toString('latin1') !== 'S') throw new Error('the target of the proxy speaks no TLS');
  const secure = connectTls({ socket: plain, ca, host });
  await once(secure, 'secureConnect');
  return secure;
}

/** Knows where one statement ends and the next begins. */
class Session {
  readonly #gate: Gate;
  #current: Point | undefined;
  /** From the first message that tells the client how the statement ended. */
  #held: Buffer[] = [];

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  begin(label: string): Promise<Verdict> {
    this.#current = this.#gate.enter('sql', label);
    return this.#gate.ask(this.#current, 'before');
  }

  async fromClient(message: Buffer): Promise<Verdict> {
    const type = typeOf(message);
    if (this.#current !== undefined || type === TERMINATE) return { kind: 'pass' };
    return this.begin(labelOf(type, message));
  }

  /** The messages to hand to the client now. */
  async fromServer(message: Buffer): Promise<readonly Buffer[] | 'cut'> {
    const type = typeOf(message);
    if (type !== READY_FOR_QUERY && !isFatal(message)) {
      if (this.#held.length === 0 && type !== COMMAND_COMPLETE && type !== ERROR_RESPONSE) return [message];
      this.#held.push(message);
      return [];
    }
    const released = [...this.#held, message];
    const point = this.#current;
    this.#held = [];
    if (point !== undefined && (await this.#gate.ask(point, 'after')).kind !== 'pass') return 'cut';
    this.#current = undefined;
    return released;
  }
}

function typeOf(message: Buffer): string {
  return message.toString('latin1', 0, 1);
}

/** The last words of a server, which hangs up after them instead of being ready for more. */
function isFatal(message: Buffer): boolean {
  return typeOf(message) === ERROR_RESPONSE && /(^|\0)S(FATAL|PANIC)\0/.test(message.toString('utf8', 5));
}

function labelOf(type: string, message: Buffer): string {
  const sql =
    type === QUERY
      ? message.toString('utf8', 5, message.length - 1)
      : type === PARSE
        ? message.toString('utf8', message.indexOf(0, 5) + 1, message.length)
        : `message ${type}`;
  const text = sql
    .replace(/\0[^]*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const call = /partition_archiver\.(\w+)\(|(query_export_to_s3|run_maintenance)\(/.exec(text);
  return call === null ? text.slice(0, 60) : `${text.slice(0, 6)} … ${call[1] ?? call[2] ?? ''}`;
}

function userOf(startup: Buffer): string {
  const fields = startup.toString('utf8', 8).split('\0');
  return fields[fields.indexOf('user') + 1] ?? '';
}

interface MessageReader {
  /** The first message has no type. */
  startup(): Promise<Buffer>;
  messages(): AsyncGenerator<Buffer>;
}

function readExactly(socket: Socket): MessageReader {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let buffer = Buffer.alloc(0);
  const fill = async (length: number): Promise<boolean> => {
    while (buffer.length < length) {
      const next = await chunks.next();
      if (next.done === true) return false;
      buffer = Buffer.concat([buffer, next.value]);
    }
    return true;
  };
  const take = (length: number): Buffer => {
    const message = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return message;
  };
  return {
    startup: async () => {
      if (!(await fill(4)) || !(await fill(buffer.readInt32BE(0)))) throw new Error('no startup message');
      return take(buffer.readInt32BE(0));
    },
    messages: async function* () {
      while ((await fill(5)) && (await fill(1 + buffer.readInt32BE(1))))
        yield take(1 + buffer.readInt32BE(1));
    },
  };
}
