import type { ConvertReport } from '../../core/query/convert-next.ts';
import { outputOf, type Account } from '../account.ts';
import { COUNT_ROWS, OBSOLETE, ROWS } from '../rows.ts';
import { must, step, type Step } from '../step.ts';
import { GLUE_DATABASE } from '../terms.ts';

interface QueryExecution {
  readonly QueryExecution: {
    readonly Status: { readonly State: string; readonly StateChangeReason?: string };
  };
}

/** The first column of the first row that Athena returns. */
async function askAthena(account: Account, statement: string): Promise<string> {
  const results = (await account.surroundings())('ResultsBucket');
  const { QueryExecutionId: id } = await account.aws<{ QueryExecutionId: string }>(
    'athena start-query-execution',
    {
      'query-string': statement,
      'work-group': 'primary',
      'result-configuration': `OutputLocation=s3://${results}/`,
    },
  );
  const { State, StateChangeReason } = await account.until('the result of Athena', 10, async () => {
    const { QueryExecution } = await account.aws<QueryExecution>('athena get-query-execution', {
      'query-execution-id': id,
    });
    const { Status: status } = QueryExecution;
    return ['QUEUED', 'RUNNING'].includes(status.State) ? undefined : status;
  });
  must(State === 'SUCCEEDED', `Athena: ${State} ${StateChangeReason ?? ''}: ${statement}`);
  const { ResultSet } = await account.aws<{
    ResultSet: { Rows: readonly { Data: readonly { VarCharValue?: string }[] }[] };
  }>('athena get-query-results', { 'query-execution-id': id });
  // The first row has the names of the columns.
  return ResultSet.Rows[1]?.Data[0]?.VarCharValue ?? 'nothing';
}

/** Counts rows, and ids, which are as many unless a row is found twice. */
const COUNT = `select concat(cast(count(*) as varchar), ' rows, ', cast(count(distinct id) as varchar), ' ids')
  from ${GLUE_DATABASE}.shop__orders`;

export const COPIES: Step = step(
  'copies',
  'Athena finds the archived rows, each once, in the view that Convert made',
  async (account) => ({
    report: outputOf(await account.execute('Convert', {}, 60)) as ConvertReport,
    found: await askAthena(account, COUNT),
    left: (await account.sql<{ rows: number }>(COUNT_ROWS))[0]?.rows ?? 0,
  }),
  ({ report: { converted, listed, summary }, found, left }) => {
    must(converted >= OBSOLETE && listed >= OBSOLETE, summary);
    const archived = String(ROWS - left);
    must(
      found === `${archived} rows, ${archived} ids`,
      `Athena finds ${found}, and ${archived} are archived`,
    );
    return `${summary}; Athena finds ${found}`;
  },
);
