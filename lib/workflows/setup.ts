import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PartitionTableWorkflow } from './partition-table.ts';
import { PrepareDatabaseWorkflow } from './prepare-database.ts';
import { SingleStepWorkflow } from './single-step.ts';
import type { WorkflowContext } from './state-machine.ts';

/** Properties of {@link SetupWorkflows}. */
export interface SetupWorkflowsProps extends WorkflowContext {
  /** Whether there is a secret of an administrator; without it, only *Adopt* is made. */
  readonly hasAdministrator: boolean;
  /** The other state machines of the archiver, which must not run while the database is prepared. */
  readonly others: readonly sfn.StateMachine[];
}

/** The workflows by which a database and its tables get ready to be archived. Operators start them. */
export class SetupWorkflows extends Construct {
  /** By their names. */
  readonly stateMachines: Readonly<Record<string, sfn.StateMachine>>;

  constructor(scope: Construct, id: string, { hasAdministrator, others, ...context }: SetupWorkflowsProps) {
    super(scope, id);
    const adopt = new SingleStepWorkflow(this, 'Adopt', {
      step: 'adopt',
      stateName: 'AdoptTable',
      stateComment: 'Compares columns with the parent and rows with the bounds, then writes the ledger.',
      comment:
        'Takes a table that was detached before into the ledger, as a partition of a configured set: {"table": 16512, "partitionSet": "shop.orders", "lower": "2021-01-01", "upper": "2021-02-01"}, the table by its OID. Without bounds it changes nothing and proposes them',
      ...context,
    });
    this.stateMachines = {
      Adopt: adopt.stateMachine,
      ...(hasAdministrator && this.workflowsOfAdministrator(context, [...others, adopt.stateMachine])),
    };
  }

  private workflowsOfAdministrator(
    context: WorkflowContext,
    others: readonly sfn.StateMachine[],
  ): Record<string, sfn.StateMachine> {
    const inspect = new SingleStepWorkflow(this, 'Inspect', {
      step: 'inspect',
      stateName: 'ReadTable',
      stateComment: 'Reads the catalogs, and 64 MiB of the table or all of it.',
      comment:
        'Shows how the rows of a table spread over time, and proposes how to partition it. Changes nothing. {"table": "shop.orders"}, and if wanted "control": a column, "exact": true to read all of it, "timeZone"',
      ...context,
    }).stateMachine;
    const partitionTable = new PartitionTableWorkflow(this, 'PartitionTable', context).stateMachine;
    const prepareDatabase = new PrepareDatabaseWorkflow(this, 'PrepareDatabase', {
      others: [...others, inspect, partitionTable],
      ...context,
    }).stateMachine;
    return { PrepareDatabase: prepareDatabase, Inspect: inspect, PartitionTable: partitionTable };
  }
}
