import { OBSOLETE, ROWS } from '../../acceptance/rows.ts';
import { STACK } from './recorded-stacks.ts';
import type { AccountState, Answer } from './account-state.ts';

/** Rows that are within the retention. */
export const KEPT_ROWS = 15_000;

/** Outputs of executions, as the core makes them; what nobody looks at is left out. */
const EXECUTIONS: Readonly<Record<string, (input: { archiveOnly?: boolean; only?: string }) => object>> = {
  PrepareDatabase: () => ({ state: 'ready', done: ['extension aws_s3'], advice: [] }),
  Archive: ({ archiveOnly, only }) => ({
    summary: 'summary',
    archived: archiveOnly === true ? OBSOLETE : 0,
    dropped: only === 'drop' ? OBSOLETE : 0,
    failed: 0,
    partitions: Array.from({ length: OBSOLETE }, () => ({
      state: only === 'drop' ? 'dropped' : 'verified',
      rows: (ROWS - KEPT_ROWS) / OBSOLETE,
    })),
  }),
  Find: () => ({
    archives: [{ manifestKey: 'shop/shop/orders/202603/manifest/1.json', period: '202603' }],
  }),
  Restore: () => ({ restored: 1, incomplete: 0, failed: 0 }),
  Convert: () => ({ summary: 'converted', converted: OBSOLETE, listed: OBSOLETE, withdrawn: 0 }),
};

/** What Step Functions and the Data API answer, and what they do to the account. */
export function executions(state: AccountState): {
  execute: (executionArn: string) => Answer;
  sql: (statement: string) => Answer;
} {
  const execute = (executionArn: string): Answer => {
    const [stateMachine = '', name = ''] = executionArn.split(':').slice(6);
    const workflow = stateMachine.slice(STACK.length + 1);
    const input = Buffer.from(name, 'base64url').toString();
    if (workflow === 'Archive' && !state.prepared) {
      return { executionArn, status: 'FAILED', error: 'NotPrepared', cause: 'the database is not prepared' };
    }
    const asked = JSON.parse(input) as { archiveOnly?: boolean; only?: string };
    if (workflow === 'PrepareDatabase') state.prepared = true;
    if (asked.archiveOnly === true) {
      state.quarantined = OBSOLETE;
      state.rows = KEPT_ROWS;
    }
    if (asked.only === 'drop') state.quarantined = 0;
    return { executionArn, status: 'SUCCEEDED', output: JSON.stringify(EXECUTIONS[workflow]?.(asked)) };
  };

  const records = (rows: readonly object[]): Answer => ({ formattedRecords: JSON.stringify(rows) });
  const sql = (statement: string): Answer => {
    if (statement.includes('server_version')) return records([{ version: '17.5' }]);
    if (statement.includes('as differences')) return records([{ rows: 5000, differences: 0 }]);
    if (statement.includes('partition_archiver_quarantine')) return records([{ tables: state.quarantined }]);
    if (statement.includes('count(*)::integer as rows from shop.orders')) {
      return records([{ rows: state.rows }]);
    }
    return { generatedFields: [], numberOfRecordsUpdated: 0 };
  };
  return { execute, sql };
}
