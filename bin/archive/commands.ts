import type { CommandGroups } from './command-line.ts';
import { CONVERT } from './commands/convert.ts';
import { LEDGER_COMMANDS } from './commands/ledger.ts';
import { QUERY } from './commands/query.ts';
import { PARTITION_TABLE } from './commands/partition-table.ts';
import { RUN_COMMANDS } from './commands/archive.ts';
import { WAY_BACK } from './commands/restore.ts';
import { WAY_IN } from './commands/setup.ts';

/** Every command, as the help groups them. */
export const COMMANDS: CommandGroups = {
  'Setting up': { ...WAY_IN, ...PARTITION_TABLE },
  Archiving: RUN_COMMANDS,
  'Archives and restores': WAY_BACK,
  Ledger: LEDGER_COMMANDS,
  Querying: { convert: CONVERT, query: QUERY },
};
