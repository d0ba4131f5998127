import { upgradeLedgerDatabase } from '../../adapters/postgres/ledger/upgrade.ts';
import { upgradeLedger, parseUpgradeLedgerRequest } from '../../core/ledger/upgrade.ts';
import { step } from '../runtime/step.ts';

/** Makes the ledger's rows of before a major upgrade or a rename rows of what the database is now. */
export const handler = step('upgrade-ledger', ({ input }: { input: unknown }, { connection, clock, log }) =>
  upgradeLedger(parseUpgradeLedgerRequest(input), {
    database: upgradeLedgerDatabase(connection),
    clock,
    log,
  }),
);
