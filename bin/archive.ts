/** The local command: the steps of the state machine against any PostgreSQL and any S3. See `--help`. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from '../adapters/postgres/connect.ts';
import { makeS3Client } from '../adapters/s3/client.ts';
import { ArchiverError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { COMMANDS, type Command } from './archive/commands.ts';
import { readCommandSettings, readPartitionSets } from './archive/settings.ts';
import type { Wiring } from './archive/steps.ts';

const EXIT = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

const HELP = `Usage: npm run archive -- <command> [options]

Commands
${Object.values(COMMANDS)
  .map(({ usage, does }) => `  ${usage}\n      ${does}`)
  .join('\n')}

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
  ARCHIVER_MAINTAIN_PASSWORD, ARCHIVER_READ_PASSWORD, ARCHIVER_DROP_PASSWORD
  ARCHIVE_BUCKET, AWS_REGION, AWS_ENDPOINT_URL_S3, and the credentials of the AWS SDK

Examples
  npm run archive -- run --dry-run
  npm run archive -- run --set public.flights --archive-only
  npm run archive -- status
  npm run archive -- drop 17

Exit codes
  0 done   1 something failed, or a partition did   2 the command line is wrong   3 input or configuration is refused
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const parsed = parseCommandLine();
  if (parsed === 'help') return EXIT.done;
  if (parsed === 'usage') return EXIT.usage;
  try {
    const { command, numbers, values } = parsed;
    const wiring = wire(values.config, values.json);
    await command.execute({
      wiring,
      clock: wiring.clock,
      options: {
        dryRun: values['dry-run'],
        archiveOnly: values['archive-only'],
        only: values.only,
        sets: values.set,
      },
      numbers,
      say: (line) => process.stdout.write(`${line}\n`),
    });
    wiring.s3.destroy();
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n${error.hint}\n`);
    const refused = ['InvalidConfiguration', 'InvalidInput', 'PreflightFailed'].includes(error.code);
    return refused ? EXIT.refused : EXIT.failed;
  }
}

interface Values {
  readonly config: string;
  readonly set?: string[];
  readonly 'dry-run': boolean;
  readonly 'archive-only': boolean;
  readonly only?: string;
  readonly json: boolean;
}

function parseCommandLine(): { command: Command; numbers: number[]; values: Values } | 'help' | 'usage' {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        config: { type: 'string', default: 'partition-sets.json' },
        set: { type: 'string', multiple: true },
        'dry-run': { type: 'boolean', default: false },
        'archive-only': { type: 'boolean', default: false },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [name, ...rest] = positionals;
    if (values.help) {
      process.stdout.write(HELP);
      return 'help';
    }
    const command = name === undefined ? undefined : COMMANDS[name];
    if (command === undefined) return complain(`there is no command ${JSON.stringify(name ?? '')}`);
    const numbers = rest.map(Number);
    if (
      numbers.length !== command.takes ||
      !numbers.every((each) => Number.isSafeInteger(each) && each >= 0)
    ) {
      return complain(`${JSON.stringify(rest.join(' '))} does not fit: ${command.usage}`);
    }
    return { command, numbers, values };
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
}

function complain(problem: string): 'usage' {
  process.stderr.write(`${problem}\nTry: npm run archive -- --help\n`);
  return 'usage';
}

function wire(configFile: string, json: boolean): Wiring {
  const config = readPartitionSets(configFile);
  const settings = readCommandSettings(process.env);
  const { host, port, database, passwords, sslMode, sslRootCert } = settings;
  const ca = sslRootCert === undefined ? {} : { ca: readFileSync(sslRootCert, 'utf8') };
  const clock: Clock = {
    now: () => new Date(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
  const write = (level: string, event: string, fields: object = {}): void => {
    if (json)
      process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
  };
  const log: Log = {
    info: (event, fields) => {
      write('info', event, fields);
    },
    warn: (event, fields) => {
      write('warn', event, fields);
    },
  };
  return {
    config,
    s3: makeS3Client({
      region: settings.region,
      ...(settings.s3Endpoint !== undefined && { endpoint: settings.s3Endpoint }),
    }),
    bucket: settings.bucket,
    region: settings.region,
    open: (role, notices = []) =>
      connect(
        {
          ...{ host, port, database, user: role, password: passwords[role] },
          tls: sslMode === 'disable' ? false : ca,
          applicationName: 'partition-archiver',
        },
        (notice) => notices.push(notice),
      ),
    clock,
    log,
  };
}
