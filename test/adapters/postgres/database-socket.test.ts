import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { DatabaseSocket, isLoopback } from '../../../adapters/postgres/database-socket.ts';
import { copyBegins, message } from '../../support/wire-messages.ts';

const COPY_BEGINS = copyBegins(1);
const ROW = message('d', '1\n');
const REASON = message('E', 'SFATAL\0C57P01\0Mterminating connection\0\0');

// Seen to fail (ERR_STREAM_PUSH_AFTER_EOF) where the end of the connection is passed on when it comes.
test('a connection that ends while rows are read gives the driver first the reason and then the end', async () => {
  const server = createServer((client) => client.end(Buffer.concat([COPY_BEGINS, ROW, REASON])));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Half open: between the end and the close of the connection is as much time as the reader takes.
  const plain = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  const socket = new DatabaseSocket(plain);
  try {
    const passed: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => passed.push(bytes));
    const ended = once(socket, 'end');

    const reading = socket.readCopy();
    const hasEnded = once(plain, 'end');
    const text: string[] = [];
    for await (const piece of reading.text()) {
      text.push(piece.toString());
      await hasEnded;
    }
    await ended;

    expect(text).toEqual(['1\n']);
    expect(reading.isOver).toBe(false);
    expect(Buffer.concat(passed)).toEqual(REASON);
  } finally {
    socket.destroy();
    server.close();
  }
});

// Seen to fail where every address counts, and where only 127.0.0.1 does.
test('only addresses of this machine are local', () => {
  const local = ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'];
  expect(local.map(isLoopback)).toEqual(local.map(() => true));
  const others = ['10.0.0.1', '128.0.0.1', '::2', '::ffff:10.0.0.1', 'fe80::1', undefined];
  expect(others.map(isLoopback)).toEqual(others.map(() => false));
});
