import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { AuditWorkflow } from './audit.ts';
import { ReverifyWorkflow, type ReverifyWorkflowProps } from './reverify.ts';
import { SingleStepWorkflow } from './single-step.ts';

/** What an operator does with archives and partitions once they are there, each a state machine. */
export class OperatorWorkflows extends Construct {
  readonly find: sfn.StateMachine;
  readonly audit: sfn.StateMachine;
  readonly resume: sfn.StateMachine;
  readonly release: sfn.StateMachine;
  readonly upgradeLedger: sfn.StateMachine;
  readonly reverify: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: ReverifyWorkflowProps) {
    super(scope, id);
    const { concurrency: _, ...context } = props;
    this.find = new SingleStepWorkflow(this, 'Find', {
      step: 'find',
      stateName: 'ReadManifests',
      stateComment: 'Reads the manifests of the table and the range. Changes nothing.',
      comment:
        'Lists the archives of a table and a range, from the manifests in the bucket alone. All fields of the input are optional: {"partitionSet": "public.orders", "from": "2021-01", "to": "2021-04", "database": "<a former name of it>"}; from is within, to is not',
      ...context,
    }).stateMachine;
    this.audit = new AuditWorkflow(this, 'Audit', context).stateMachine;
    this.resume = new SingleStepWorkflow(this, 'Resume', {
      step: 'resume',
      stateName: 'ResumePartition',
      stateComment: 'Returns the partition to the pipeline; running it again changes nothing.',
      comment:
        'Returns a blocked, restored or released partition to the pipeline: the next run continues with it, or archives it again. Input: {"partitionId": 42} (id in the ledger)',
      ...context,
    }).stateMachine;
    this.release = new SingleStepWorkflow(this, 'Release', {
      step: 'release',
      stateName: 'ReleasePartition',
      stateComment: 'Returns the table to its owner; running it again changes nothing.',
      comment:
        'Returns a table in quarantine to its owner, with its own name, schema and rights; no run touches it until it is resumed. Input: {"partitionId": 42} (id in the ledger), optionally "owner", another role',
      ...context,
    }).stateMachine;
    this.upgradeLedger = new SingleStepWorkflow(this, 'UpgradeLedger', {
      step: 'upgrade-ledger',
      stateName: 'UpgradeRows',
      stateComment: 'Compares each row with the table that has its OID, then moves all rows or none.',
      comment:
        'After a major upgrade or a rename: makes the rows of the ledger rows of what the database is now. Input: {"from": "7301234567890123456"}, the system identifier that the failed execution names, in quotes, and after a rename "database", the name that it had. With "forget": true, where tables were copied and not upgraded, the rows are forgotten',
      ...context,
    }).stateMachine;
    this.reverify = new ReverifyWorkflow(this, 'Reverify', props).stateMachine;
  }

  /** By their names. */
  get stateMachines(): Readonly<Record<string, sfn.StateMachine>> {
    const { find, audit, resume, release, upgradeLedger, reverify } = this;
    return {
      Find: find,
      Audit: audit,
      Resume: resume,
      Release: release,
      UpgradeLedger: upgradeLedger,
      Reverify: reverify,
    };
  }
}
