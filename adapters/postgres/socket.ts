import { connect as connectPlain, type Socket } from 'node:net';
import { once } from 'node:events';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { DatabaseSocket, hungUp } from './database-socket.ts';

/** "May we speak TLS?": length 8, code 80877103. The server returns S or N. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 0x53;

const CONNECT_TIMEOUT_MS = 30_000;
/** An export says nothing for minutes, and NAT gateways forget connections after 350 seconds. */
const KEEP_ALIVE_MS = 60_000;

/** Connects to a PostgreSQL server, with TLS unless told otherwise, for the driver's option `socket`. */
export async function openSocket(
  host: string,
  port: number,
  tls: ConnectionOptions | false,
): Promise<DatabaseSocket> {
  const socket = connectPlain(port, host);
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
    socket.destroy(failure('CONNECT_TIMEOUT', `no answer from ${host} in time`));
  });
  try {
    await once(socket, 'connect');
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const speaking = tls === false ? socket : await secure(socket, tls);
    socket.setTimeout(0);
    return new DatabaseSocket(speaking);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function secure(socket: Socket, tls: ConnectionOptions): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const answer = await Promise.race([
    once(socket, 'data') as Promise<[Buffer]>,
    once(socket, 'end').then((): never => {
      throw hungUp();
    }),
  ]);
  // Exactly one byte: whatever came with it would come from a third party in between, unencrypted.
  if (answer[0].length !== 1 || answer[0][0] !== YES) {
    throw failure('ERR_TLS_REFUSED', 'the server does not speak TLS');
  }
  const secured = connectTls({ socket, ...tls });
  await once(secured, 'secureConnect');
  return secured;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
