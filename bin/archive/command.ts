import type { S3Client } from '@aws-sdk/client-s3';
import type { Connection } from '../../adapters/postgres/connect.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { Combinations } from './combinations.ts';
import type { CommandOptions, OptionName } from './options.ts';
import type { CommandNeeds, Login } from './settings.ts';
import type { CommandProgress } from './terminal/progress.ts';

export type { CommandOptions } from './options.ts';

/** What a command is given. */
export interface CommandContext {
  readonly config: RuntimeConfig;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** The database that is connected to; empty where the command needs none. */
  readonly database: string;
  /** Opens a connection, to the configured database unless another is named; `notices` collects what its server says. */
  readonly open: (login: Login, notices?: string[], database?: string) => Connection;
  /** The password that the environment has for a role. */
  readonly passwordFor: (login: Login) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** The line on the terminal that says how far the command is. */
  readonly progress: CommandProgress;
  /** Columns of the terminal that shows the result; `undefined` for a pipe or a file. */
  readonly width: number | undefined;
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly options: CommandOptions;
  /** Prints the result: as JSON with `--json`, else by `text`, which prints one line a call. */
  readonly show: (result: unknown, text: (say: (line: string) => void) => void) => void;
}

/** One command: how it is called, what it does, what it needs, and how it runs. */
export interface Command {
  /** What follows its name, as the help shows it: `<id> [segment]`. */
  readonly arguments?: string;
  readonly does: string;
  /** The options that it honours, besides `--json`, `--log` and, where it reads a configuration, `--config`. */
  readonly options: readonly OptionName[];
  /** @default - any of them, once or as often as the option may be given */
  readonly combinations?: Combinations;
  /** Command lines that show its use, without `npm run archive --`. */
  readonly examples: readonly string[];
  readonly needs: CommandNeeds;
  /** It may take hours, and logs on standard error what it has done. */
  readonly takesLong?: true;
  readonly execute: (context: CommandContext) => Promise<void>;
}

/** A word after the command's name. */
export function word({ args }: CommandContext, index: number): string {
  return args[index] ?? '';
}

/** A word after the command's name that is a whole number: an id of the ledger, the number of a segment. */
export function number(context: CommandContext, index: number): number {
  return Number(word(context, index));
}

/** Runs `work` with a connection that is ended afterwards. */
export async function using<T>(
  connection: Connection,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  try {
    return await work(connection);
  } finally {
    await connection.end({ timeout: 1 });
  }
}
