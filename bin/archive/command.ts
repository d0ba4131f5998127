import type { S3Client } from '@aws-sdk/client-s3';
import type { Connection } from '../../adapters/postgres/connect.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { CommandNeeds, Login } from './settings.ts';

/** Options of the command line. A command takes those that its usage names and passes over the rest. */
export const OPTIONS = {
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean', default: false },
  'archive-only': { type: 'boolean', default: false },
  only: { type: 'string' },
  print: { type: 'boolean', default: false },
  'no-guard': { type: 'boolean', default: false },
  exact: { type: 'boolean', default: false },
  control: { type: 'string' },
  'time-zone': { type: 'string' },
  'max-partitions': { type: 'string' },
  interval: { type: 'string' },
  start: { type: 'string' },
  premake: { type: 'string' },
  retention: { type: 'string' },
  keys: { type: 'string' },
  epoch: { type: 'string' },
  plain: { type: 'boolean', default: false },
  'no-default': { type: 'boolean', default: false },
  'up-to-check': { type: 'boolean', default: false },
  lower: { type: 'string' },
  upper: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  schema: { type: 'string' },
  table: { type: 'string' },
  owner: { type: 'string' },
  attach: { type: 'boolean', default: false },
  'attach-to': { type: 'string' },
  'manifest-version': { type: 'string' },
  'no-foreign-keys': { type: 'boolean', default: false },
  'no-grants': { type: 'boolean', default: false },
  'accept-incomplete': { type: 'boolean', default: false },
  database: { type: 'string' },
  tier: { type: 'string' },
  days: { type: 'string' },
  'max-mib': { type: 'string' },
  sample: { type: 'string' },
  archives: { type: 'string' },
  leave: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The options as they were read. */
export type CommandOptions = {
  readonly [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name] extends { readonly type: 'boolean' }
    ? boolean
    : (typeof OPTIONS)[Name] extends { readonly multiple: true }
      ? string[]
      : string;
};

/** What a command is given. */
export interface CommandContext {
  readonly config: RuntimeConfig;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** The database that is connected to; empty where the command needs none. */
  readonly database: string;
  /** Opens a connection; `notices` collects what its server says. */
  readonly open: (login: Login, notices?: string[]) => Connection;
  /** The password that the environment has for a role. */
  readonly passwordFor: (login: Login) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly options: CommandOptions;
  readonly say: (line: string) => void;
}

/** One command: how it is called, what it does, what it needs, and how it goes. */
export interface Command {
  readonly usage: string;
  readonly does: string;
  /** How many words follow its name. */
  readonly takes: number;
  /** How many of them may be left out. */
  readonly optional?: number;
  readonly needs: CommandNeeds;
  /** It may take hours, and says on standard error what it has done. */
  readonly takesLong?: true;
  readonly execute: (context: CommandContext) => Promise<void>;
}

/** A word after the command's name. */
export function word({ args }: CommandContext, index: number): string {
  return args[index] ?? '';
}

/** A word after the command's name that is a whole number: an id of the ledger, the number of a segment. */
export function number(context: CommandContext, index: number): number {
  const text = word(context, index);
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ArchiverError('InvalidInput', `${JSON.stringify(text)} must be a whole number`);
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
