/** What the preflight finds where tables are to be read past the proxy. */
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { connect, type Connection } from '../../../../adapters/postgres/connect.ts';
import { readingProblems } from '../../../../adapters/postgres/archive/preflight-verify-endpoint.ts';
import type { PreflightProblem } from '../../../../core/archive/preflight.ts';
import { hurriedClock, ROLE_PASSWORD, useArchiver } from '../../../support/archiver.ts';
import { stack, useDatabase } from '../../../support/database.ts';

const archiver = useArchiver();
const another = useDatabase({ template: 'archiver' });
const empty = useDatabase();

/** Looks there, and says how often it was tried. */
async function look(
  open: () => Connection,
  writer = archiver().open('archiver_read'),
): Promise<{ problems: PreflightProblem[]; tries: number }> {
  let tries = 0;
  try {
    const endpoint = {
      host: 'reader.example.com',
      port: 5432,
      open: () => {
        tries += 1;
        return open();
      },
    };
    return { problems: await readingProblems(writer, endpoint, hurriedClock), tries };
  } finally {
    await writer.end({ timeout: 1 });
  }
}

/** Straight at the server, past the pooler. */
function directly(changes: { port?: number; password?: string; database?: string } = {}): Connection {
  const { host, port } = stack().postgres;
  return connect({
    host,
    port,
    database: archiver().database.name,
    user: 'archiver_read',
    password: ROLE_PASSWORD,
    tls: false,
    applicationName: 'test past the proxy',
    ...changes,
  });
}

const subject = 'verify endpoint reader.example.com:5432';

test('the same database past the proxy is right, and one look is enough', async () => {
  expect(await look(directly)).toEqual({ problems: [], tries: 1 });
});

// Seen to fail without the comparison of the identities: everything else is there, too.
test('another database of the same server is named as such', async () => {
  const { problems } = await look(() => archiver().open('archiver_read', [], another().name));
  expect(problems).toEqual([
    {
      subject,
      problem: 'leads to another database than the one that is archived',
      remedy: expect.stringContaining('database.verifyEndpoint'),
    },
  ]);
});

test.each<[string, () => Promise<() => Connection>, RegExp, number]>([
  ['nobody listens there', unused, /no connection to the database \(ECONNREFUSED\)/, 4],
  [
    'the password is not that of the role there',
    () => Promise.resolve(() => directly({ password: 'another' })),
    /authentication failed/,
    4,
  ],
  [
    'the archiver is not installed there',
    () => Promise.resolve(() => directly({ database: empty().name })),
    /schema "partition_archiver" does not exist|permission denied/,
    1,
  ],
])('%s: a line like those of all other checks', async (_, opener, problem, tries) => {
  const looked = await look(await opener());
  expect(looked).toEqual({
    problems: [{ subject, problem: expect.stringMatching(problem), remedy: expect.stringMatching(/[.]$/) }],
    tries,
  });
});

test('where the writer itself is not ready, that is told by its own checks alone', async () => {
  const writer = directly({ database: empty().name });
  expect(await look(directly, writer)).toEqual({ problems: [], tries: 0 });
});

async function unused(): Promise<() => Connection> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return () => directly({ port });
}
