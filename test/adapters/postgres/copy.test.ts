import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, connect as dial, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { connect, type Connection } from '../../../adapters/postgres/connect.ts';
import { copyOut as byFrames } from '../../../adapters/postgres/copy.ts';
import { copyOutByDriver } from '../../../adapters/postgres/copy-by-driver.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { stack, useDatabase } from '../../support/database.ts';

const database = useDatabase();

function open(): Connection {
  const { pooler, postgres } = stack();
  const { user, password } = postgres.superuser;
  const tls = { ca: readFileSync(pooler.caFile, 'utf8') };
  return connect({
    host: pooler.host,
    port: pooler.port,
    database: database().name,
    user,
    password,
    tls,
    applicationName: 'test',
  });
}

const rows = (count: number): string =>
  `copy (select repeat('x', 3000) from generate_series(1, ${count})) to stdout`;

/**
 * A way to the server that hands each message of a row on as `change` says: as other messages, or as the end of the
 * connection. Rows are numbered from 1.
 */
async function wayToServer(
  change: (row: Buffer, number: number) => readonly Buffer[] | 'cut' | 'reset',
): Promise<{ port: number; close: () => void }> {
  const { host, port } = stack().postgres;
  const server = createServer((client) => {
    const upstream = dial(port, host);
    let [pending, rowsSeen] = [Buffer.alloc(0), 0];
    client.on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy());
    client.on('error', () => upstream.destroy());
    upstream
      .on('error', () => undefined)
      .on('data', (bytes) => {
        pending = Buffer.concat([pending, bytes]);
        while (pending.length > 4 && pending.length > pending.readUInt32BE(1)) {
          const message = pending.subarray(0, 1 + pending.readUInt32BE(1));
          const handedOn = message[0] === 0x64 ? change(message, (rowsSeen += 1)) : [message];
          if (handedOn === 'cut') return void client.end();
          if (handedOn === 'reset') return void client.resetAndDestroy();
          for (const each of handedOn) client.write(each);
          pending = pending.subarray(message.length);
        }
        return undefined;
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const NOTHING_OF_IT: readonly Buffer[] = [];
const ROWS = 100;

// Seen to pass without the comparison of the tag with the rows. The driver's stream knows no tag.
test.each<[string, (row: Buffer, number: number) => readonly Buffer[] | 'cut']>([
  ['a row that is lost', (row, n) => (n === 50 ? NOTHING_OF_IT : [row])],
  ['the last row that is lost', (row, n) => (n === ROWS ? NOTHING_OF_IT : [row])],
  ['a row that comes twice', (row, n) => (n === 50 ? [row, row] : [row])],
  ['all rows that are lost', () => NOTHING_OF_IT],
])('%s is found by what the server says at the end', async (_, change) => {
  const way = await wayToServer(change);
  const connection = asAdministrator(database().name, { host: '127.0.0.1', port: way.port });
  try {
    const copying = byFrames(
      connection,
      'copying',
      async () => rows(ROWS),
      async (stream) => {
        for await (const _chunk of stream);
        return 'read to its end';
      },
    );
    await expect(copying).rejects.toMatchObject({ code: 'DatabaseUnavailable' });
  } finally {
    await connection.end({ timeout: 1 });
    way.close();
  }
});

// Seen to fail: what writes the rows to S3 took ECONNRESET for an error of its own connection.
test('a reader meets the error of a connection that is reset as one of the database', async () => {
  const way = await wayToServer((row, n) => (n === 50 ? 'reset' : [row]));
  const connection = asAdministrator(database().name, { host: '127.0.0.1', port: way.port });
  const met: unknown[] = [];
  try {
    const copying = byFrames(
      connection,
      'copying',
      async () => rows(ROWS),
      async (stream) => {
        try {
          for await (const _chunk of stream);
        } catch (error) {
          met.push(error);
          throw error;
        }
      },
    );
    await expect(copying).rejects.toMatchObject({ code: 'DatabaseUnavailable' });
    expect(met).toEqual([expect.objectContaining({ code: 'DatabaseUnavailable' })]);
  } finally {
    await connection.end({ timeout: 1 });
    way.close();
  }
});

// Seen to fail (the transaction never ends) without: copy.isWhole.
test('a reader that has enough before the end has no verdict', async () => {
  const connection = open();
  try {
    const copying = byFrames(
      connection,
      'copying',
      async () => rows(20_000),
      async () => 'enough',
    );
    await expect(copying).rejects.toMatchObject({ code: 'DatabaseUnavailable' });
  } finally {
    await connection.end({ timeout: 1 });
  }
});

describe.each([
  ['by frames', byFrames],
  ['by the driver', copyOutByDriver],
])('%s', (_reader, copyOut) => {
  // Seen to fail (the transaction never ends) without: rows._read(0).
  test('a reader that is slower than the server does not leave the transaction hanging', async () => {
    for (let round = 1; round <= 25; round += 1) {
      const connection = open();
      try {
        let bytes = 0;
        await copyOut(
          connection,
          'copying',
          async () => rows(round * 7),
          async (stream) => {
            for await (const chunk of stream) {
              bytes += chunk.length;
              await sleep(1);
            }
          },
        );
        expect(bytes).toBe(round * 7 * 3001);
      } finally {
        await connection.end({ timeout: 1 });
      }
    }
  });

  // Seen to fail (the rollback waits for ever) without: connection.end({ timeout: 0 }).
  test('a reader that gives up half way ends the transaction with its own error', async () => {
    const connection = open();
    try {
      await expect(
        copyOut(
          connection,
          'copying',
          async () => rows(20_000),
          async (stream) => {
            await stream[Symbol.asyncIterator]().next();
            throw new Error('the other side is gone');
          },
        ),
      ).rejects.toThrow('the other side is gone');
    } finally {
      await connection.end({ timeout: 1 });
    }
  });

  // Directly, since PgBouncer closes the server's end by itself. The driver's own socket left servers behind in their send.
  test('a reader that gives up half way leaves no server process behind that sends to nobody', async () => {
    const connection = asAdministrator(database().name, { applicationName: 'gives up' });
    const giveUp = copyOut(
      connection,
      'copying',
      async () => rows(20_000),
      async (stream) => {
        for await (const _ of stream) throw new Error('the other side is gone');
      },
    );
    await expect(giveUp).rejects.toThrow('the other side is gone');
    await connection.end({ timeout: 1 });
    const serving = () =>
      database().sql`select state from pg_stat_activity where application_name = 'gives up'`;
    for (let tries = 0; (await serving()).length > 0 && tries < 200; tries += 1) await sleep(25);
    expect(await serving()).toEqual([]);
  });

  // Seen to fail (the whole process ends by an uncaught exception) without: startCopy's listener.
  test.each([
    ['in its first row', 1],
    ['in the middle', 200_000],
  ])('a COPY that fails %s is an error, and not half a table', async (_, failing) => {
    // Whether start and error come together is up to the network.
    for (let round = 1; round <= (failing === 1 ? 30 : 1); round += 1) {
      const connection = open();
      try {
        const copying = copyOut(
          connection,
          'copying',
          async () => `copy (select 1 / (g - ${failing}) from generate_series(1, 400000) g) to stdout`,
          async (stream) => {
            for await (const _chunk of stream) await sleep(0);
            return 'read to its end';
          },
        );
        await expect(copying).rejects.toMatchObject({ code: 'DatabaseRejected' });
      } finally {
        await connection.end({ timeout: 1 });
      }
    }
  });

  test('a server that is gone half way is an error that is tried again, and not half a table', async () => {
    const connection = open();
    let pid = 0;
    try {
      const copying = copyOut(
        connection,
        'copying',
        async (transaction) => {
          [{ pid }] = await transaction<[{ pid: number }]>`select pg_backend_pid() as pid`;
          return rows(20_000);
        },
        async (stream) => {
          for await (const _ of stream) await database().sql`select pg_terminate_backend(${pid})`;
          return 'read to its end';
        },
      );
      await expect(copying).rejects.toMatchObject({ code: 'DatabaseUnavailable' });
    } finally {
      await connection.end({ timeout: 1 });
    }
  });

  // A stream that ends too early could look whole: each line of it is. Seen to fail without the look at the driver's error in
  // #end() of copy.ts: what reads would have taken the rows for all of them.
  test.each([0, 1, 99])(
    'a connection that ends between two messages, after %d of 100 rows, is no end of the rows',
    async (seen) => {
      const way = await wayToServer((row, n) => (n > seen ? 'cut' : [row]));
      const connection = asAdministrator(database().name, { host: '127.0.0.1', port: way.port });
      let hasEnded = false;
      try {
        const copying = copyOut(
          connection,
          'copying',
          async () => rows(100),
          async (stream) => {
            for await (const _ of stream);
            hasEnded = true;
          },
        );
        await expect(copying).rejects.toMatchObject({ code: 'DatabaseUnavailable' });
        expect(hasEnded).toBe(false);
      } finally {
        await connection.end({ timeout: 1 });
        way.close();
      }
    },
  );
});
