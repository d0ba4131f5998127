import type { CommandGroups } from './command-line.ts';
import { CONVERT } from './commands/convert.ts';
import { LEDGER_COMMANDS } from './commands/ledger.ts';
import { QUERY } from './commands/query.ts';
import { REPORT } from './commands/report.ts';
import { PARTITION_TABLE } from './commands/partition-table.ts';
import { RUN_COMMANDS } from './commands/archive.ts';
import { RESTORE_COMMANDS } from './commands/restore.ts';
import { SETUP_COMMANDS } from './commands/setup.ts';

/** Every command, as the help groups them. */
export const COMMANDS: CommandGroups = {
  'Setting up': { ...SETUP_COMMANDS, ...PARTITION_TABLE },
  Archiving: RUN_COMMANDS,
  'Archives and restores': RESTORE_COMMANDS,
  Ledger: LEDGER_COMMANDS,
  Querying: { convert: CONVERT, query: QUERY, report: REPORT },
};
