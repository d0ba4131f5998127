/** The local command: the steps of the state machine against any PostgreSQL and any S3. See `--help`. */
import { parseArgs } from 'node:util';
import { ArchiverError } from '../core/errors.ts';
import { OPTIONS, type Command, type CommandContext, type CommandOptions } from './archive/command.ts';
import { makeContext } from './archive/context.ts';
import { RUN_COMMANDS } from './archive/run-commands.ts';
import { WAY_BACK } from './archive/way-back.ts';
import { WAY_IN } from './archive/way-in.ts';

const EXIT = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

const COMMANDS: Readonly<Record<string, Command>> = { ...RUN_COMMANDS, ...WAY_IN, ...WAY_BACK };

const list = (commands: Readonly<Record<string, Command>>): string =>
  Object.values(commands)
    .map(({ usage, does }) => `  ${usage}\n      ${does}`)
    .join('\n');

const HELP = `Usage: npm run archive -- <command> [options]

Archiving
${list(RUN_COMMANDS)}

The way in
${list(WAY_IN)}

The way back
${list(WAY_BACK)}

Options
  --config <file>        partition sets (default partition-sets.json): {"partitionSets": [{"schema": …, "table": …}]}
  --set <schema.table>   only this partition set; may be given several times
  --dry-run              changes nothing and says what would happen
  --archive-only         drops nothing, whatever the configuration says
  --only inventory|drop  only looks and records, or only drops what is due
  --json                 logs each step as JSON to standard error
  --help                 this text

Environment
  PGHOST, PGPORT, PGDATABASE, PGSSLMODE (verify-full or disable), PGSSLROOTCERT
  ARCHIVER_MAINTAIN_PASSWORD, ARCHIVER_READ_PASSWORD, ARCHIVER_DROP_PASSWORD, ARCHIVER_RESTORE_PASSWORD
  PGUSER and ARCHIVER_ADMIN_PASSWORD for what an administrator does
  ARCHIVE_BUCKET, AWS_REGION, AWS_ENDPOINT_URL_S3, and the credentials of the AWS SDK

Examples
  npm run archive -- run --dry-run
  npm run archive -- run --set public.flights --archive-only
  npm run archive -- status
  npm run archive -- drop 17
  npm run archive -- find --set public.flights --from 2021-01 --to 2021-07
  npm run archive -- restore --set public.flights --from 2021-01 --to 2021-07 --schema scratch

Exit codes
  0 done   1 something failed, or a partition did   2 the command line is wrong   3 input or configuration is refused
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const parsed = parseCommandLine();
  if (parsed === 'help') return EXIT.done;
  if (parsed === 'usage') return EXIT.usage;
  const { command, args, options } = parsed;
  let context: CommandContext | undefined;
  try {
    context = makeContext(command, args, options, process.env);
    await command.execute(context);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n${error.hint}\n`);
    const refused = ['InvalidConfiguration', 'InvalidInput', 'PreflightFailed'].includes(error.code);
    return refused ? EXIT.refused : EXIT.failed;
  } finally {
    context?.s3.destroy();
  }
}

function parseCommandLine():
  { command: Command; args: string[]; options: CommandOptions } | 'help' | 'usage' {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
    const [name, ...args] = positionals;
    if (values.help) {
      process.stdout.write(HELP);
      return 'help';
    }
    const command = name === undefined ? undefined : COMMANDS[name];
    if (command === undefined) return complain(`there is no command ${JSON.stringify(name ?? '')}`);
    if (args.length > command.takes || args.length < command.takes - (command.optional ?? 0)) {
      return complain(`${JSON.stringify(args.join(' '))} does not fit: ${command.usage}`);
    }
    return { command, args, options: values };
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
}

function complain(problem: string): 'usage' {
  process.stderr.write(`${problem}\nTry: npm run archive -- --help\n`);
  return 'usage';
}
