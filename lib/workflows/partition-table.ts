import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** What each state does, by the name that the function knows the step by. */
const STATES = {
  makePartitions: 'Has pg_partman make the partitions of the shadow table, from the lowest row on.',
  backfill: 'Takes rows over, 64 MiB in a transaction, for some minutes; comes again until all are there.',
  catchUp: 'Takes over again what changed meanwhile, until few rows change in the time that this takes.',
  compare:
    'Compares shadow table and table by content, range by range, for some minutes; comes again until all is compared.',
  swap: 'Lets both change places in one short transaction, after the last changes were taken over and compared.',
  rollBack: 'Takes the shadow table away: the table is as it was.',
  dropReplaced: 'Drops the table that was replaced, if it is unchanged and nothing depends on it.',
} as const;

/**
 * The workflow *Partition table*. Every step returns where the partitioning stands, and the Choice continues there: so a
 * new execution takes over from one that was stopped anywhere, and so can the local command.
 */
export class PartitionTableWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, context: WorkflowContext) {
    super(scope, id);
    const { functions } = context;
    const states = new Construct(this, 'States');
    const execution = { 'execution.$': '$$.Execution.Name' };
    const begin = stepTask(states, functions, 'partition-table', {
      stateName: 'Begin',
      comment:
        'Checks everything, makes an empty shadow table, and begins to follow the changes of the table; or finds where an earlier execution left it.',
      payload: { do: 'begin', 'input.$': '$', ...execution },
      resultPath: '$.at',
    });
    const done = new sfn.Succeed(states, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.at.Payload.report',
    });
    const whatIsNext = new sfn.Choice(states, 'What is next?', {
      comment:
        'As the last step returned; nothing more after Compare, unless the input says {"upTo": "swap"}.',
    });
    for (const [step, comment] of Object.entries(STATES)) {
      const task = stepTask(states, functions, 'partition-table', {
        stateName: step.replace(/^./, (letter) => letter.toUpperCase()),
        comment,
        payload: { do: step, 'at.$': '$.at.Payload', ...execution },
        resultPath: '$.at',
      });
      whatIsNext.when(sfn.Condition.stringEquals('$.at.Payload.next', step), task);
      task.next(whatIsNext);
    }
    whatIsNext.otherwise(done);

    this.stateMachine = makeWorkflow(this, id, {
      comment:
        'Makes a partition set out of a plain table while it is in use. {"table": "shop.orders", "control": "at", "interval": "1 month", "retention": "12 months" or "none"}, and if wanted "start", "premake", "maxPartitions", "trustFunctions": true, "keys": "extend" or "drop", "mode": "offline", "defaultPartition": false, "epoch", "timeZone", "upTo": "swap". Ends after Compare, for an operator to check the report; then {"table": "shop.orders", "upTo": "swap"} continues, {"table": "shop.orders", "rollBack": true} gives up, and after the swap {"table": "shop.orders", "dropReplaced": true} drops the old table',
      definition: begin.next(whatIsNext),
      // Terabytes are copied in days. Beyond this, another execution continues. A call of five minutes is seven events of the
      // 25,000 of an execution, which are used up by the thirteenth day.
      timeout: Duration.days(12),
      ...context,
    });
  }
}
