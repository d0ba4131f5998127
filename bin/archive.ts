#!/usr/bin/env node
/** The local command: the steps of the state machine against any PostgreSQL and any S3. See `--help`. */
import { diskError } from '../adapters/disk/errors.ts';
import { ArchiverError } from '../core/errors.ts';
import { parseCommandLine } from './archive/command-line.ts';
import { absentDatabase } from './archive/absent-database.ts';
import type { Command, CommandContext } from './archive/command.ts';
import { COMMANDS } from './archive/commands.ts';
import { makeContext } from './archive/context.ts';

const EXIT = { done: 0, failed: 1, refused: 3 } as const;

/** npm names the script that it runs. */
const INVOCATION =
  process.env['npm_lifecycle_event'] === 'archive' ? 'npm run archive --' : 'partition-archiver';

let unwritten: ArchiverError | null = null;
// Who reads the output may stop early, as `head` does: the work is finished, and its exit code is its own.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') unwritten ??= diskError(error);
});
// Who reads the log may stop, too.
process.stderr.on('error', () => undefined);

const code = await main();
// A connection that does not come about would keep the process for half a minute.
process.stdout.write('', () => {
  // The listener is called after this.
  setImmediate(() => {
    if (unwritten !== null) say(unwritten);
    process.exit(unwritten === null ? code : EXIT.failed);
  });
});

function say({ code, message, hint }: ArchiverError): void {
  process.stderr.write(`${code}: ${message}\n${hint}\n`);
  if (code !== 'DatabaseUnavailable') return;
  const { PGHOST = '', PGPORT = '5432', PGDATABASE = '' } = process.env;
  process.stderr.write(`The server is ${PGHOST}:${PGPORT} (PGHOST, PGPORT), the database ${PGDATABASE}.\n`);
}

/** Runs a command; where there is no such database, that is found out beside it. */
async function execute(command: Command, context: CommandContext): Promise<void> {
  const absent = absentDatabase(context, command.needs);
  const ended = command.execute(context).catch(async (error: unknown) => {
    // A pooler says nothing, or (PgBouncer 1.24) what the server said.
    const mayBeAbsent =
      error instanceof ArchiverError && ['DatabaseUnavailable', 'InvalidConfiguration'].includes(error.code);
    throw (mayBeAbsent ? await absent : null) ?? error;
  });
  await Promise.race([
    ended,
    absent.then((error) => (error === null ? ended : Promise.reject<undefined>(error))),
  ]);
}

async function main(): Promise<number> {
  const line = parseCommandLine(
    process.argv.slice(2),
    COMMANDS,
    {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
    },
    INVOCATION,
  );
  if (line.kind === 'exit') return line.code;
  const { command, args, options } = line;
  let context: CommandContext | undefined;
  try {
    context = makeContext(command, args, options, process.env);
    const { progress } = context;
    await execute(command, context).finally(() => {
      progress.end();
    });
    return EXIT.done;
  } catch (thrown) {
    const error = diskError(thrown) ?? thrown;
    if (!(error instanceof ArchiverError)) throw error;
    say(error);
    const refused = ['InvalidConfiguration', 'InvalidInput', 'PreflightFailed'].includes(error.code);
    return refused ? EXIT.refused : EXIT.failed;
  } finally {
    context?.s3.destroy();
  }
}
